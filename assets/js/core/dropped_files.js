// Files of a drop, with those in dropped folders.

/** @typedef {Promise<{file: File, name: string, inFolder: boolean}[]>} Gathered */

/** Dropped files that the batch or the teach tab has not listed yet: it may not be there yet.
 * @type {{wanted: Gathered | null, examples: Gathered | null}}
 */
export const dropped = { wanted: null, examples: null };

/** Whether a drop holds more than one file: several, or a folder. */
export function areMany(transfer) {
  return Boolean(transfer) && (transfer.files.length > 1 || entries(transfer).some((entry) => entry.isDirectory));
}

/** Resolves to the files of a drop; `name` includes the folders.
 * @param {DataTransfer} transfer
 * @returns {Promise<{file: File, name: string, inFolder: boolean}[]>}
 */
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
  for (;;) { // a reader returns a folder in parts
    const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (!some.length) break;
    inside.push(...some);
  }
  const lists = await Promise.all(inside.map((one) => walk(one, true)));
  return lists.flat();
}
