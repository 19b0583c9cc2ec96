// A small, safe Markdown reader for model cards: headings, paragraphs, lists, tables, code. Text goes in as text: no HTML
// of the card is ever interpreted, and links lead to https alone.

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\((https:\/\/[^\s)]+)\)/g;

/** The card as a list of elements; its headings begin at `level`. */
export function markdown(text, level = 3) {
  const blocks = [];
  const lines = text.split('\n');
  while (lines.length) {
    const line = lines[0];
    if (!line.trim()) lines.shift();
    else if (/^#{1,6} /.test(line)) blocks.push(heading(lines.shift(), level));
    else if (line.startsWith('```')) blocks.push(fenced(lines));
    else if (line.startsWith('|')) blocks.push(table(taken(lines, (one) => one.startsWith('|'))));
    else if (/^[-*] /.test(line)) blocks.push(list(taken(lines, (one) => /^([-*] | {2})/.test(one))));
    else blocks.push(inline('p', taken(lines, (one) => one.trim() && !/^(#{1,6} |\||```|[-*] )/.test(one)).join(' ')));
  }
  return blocks;
}

function taken(lines, fits) {
  const count = lines.findIndex((line) => !fits(line));
  return lines.splice(0, count < 0 ? lines.length : Math.max(1, count));
}

function heading(line, level) {
  const depth = line.match(/^#+/)[0].length;
  return inline(`h${Math.min(6, level + depth - 1)}`, line.slice(depth + 1));
}

function fenced(lines) {
  lines.shift();
  const end = lines.findIndex((line) => line.startsWith('```'));
  const code = document.createElement('pre');
  code.textContent = lines.splice(0, end < 0 ? lines.length : end).join('\n');
  lines.shift();
  return code;
}

function list(lines) {
  const items = [];
  for (const line of lines) {
    if (/^[-*] /.test(line)) items.push(line.slice(2));
    else items[items.length - 1] += ` ${line.trim()}`;
  }
  const box = document.createElement('ul');
  box.append(...items.map((item) => inline('li', item)));
  return box;
}

function table(lines) {
  const cells = (line) => line.replace(/^\||\|\s*$/g, '').split('|').map((cell) => cell.trim());
  const box = document.createElement('table');
  const rows = lines.filter((line) => !/^\|[\s|:-]+$/.test(line) || !line.includes('-'));
  rows.forEach((line, index) => {
    const row = document.createElement('tr');
    row.append(...cells(line).map((cell) => inline(index ? 'td' : 'th', cell)));
    box.append(row);
  });
  return box;
}

function inline(tag, text) {
  const box = document.createElement(tag);
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    const [whole, code, strong, label, address] = match;
    box.append(text.slice(from, match.index));
    const part = document.createElement(code ? 'code' : strong ? 'strong' : 'a');
    part.textContent = code ?? strong ?? label;
    if (address) Object.assign(part, { href: address, target: '_blank', rel: 'noopener noreferrer' });
    box.append(part);
    from = match.index + whole.length;
  }
  box.append(text.slice(from));
  return box;
}
