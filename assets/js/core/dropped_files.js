// The files of a drop, folders walked.

/** What was dropped and is not in the list yet: the tab that lists it may not have been opened before. */
export const dropped = { wanted: null };

/** Whether a drop holds more than one file: several, or a folder. */
export function areMany(transfer) {
  return Boolean(transfer) && (transfer.files.length > 1 || entries(transfer).some((entry) => entry.isDirectory));
}

/** Resolves to the files of a drop as { file, name, inFolder }; `name` says where in its folder a file was. */
export async function gather(transfer) {
  const found = entries(transfer); // at once: the browser empties the drop when its event is over
  if (!found.length) return [...transfer.files].map((file) => ({ file, name: file.name, inFolder: false }));
  const lists = await Promise.all(found.map((entry) => walk(entry, entry.isDirectory)));
  return lists.flat();
}

function entries(transfer) {
  return [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
}

async function walk(entry, inFolder) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => { entry.file(resolve, reject); });
    return [{ file, name: inFolder ? entry.fullPath.replace(/^\//, '') : file.name, inFolder }];
  }
  const reader = entry.createReader();
  const inside = [];
  for (;;) { // a reader gives some of a folder at a time
    const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (!some.length) break;
    inside.push(...some);
  }
  const lists = await Promise.all(inside.map((one) => walk(one, true)));
  return lists.flat();
}
