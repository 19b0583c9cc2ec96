// The browser's IndexedDB: values by key in a few stores, kept over reloads. Each function rejects where there is none.

const NAME = 'soundglass';
const VERSION = 1;
const STORES = ['labels', 'sounds'];

/** @type {Promise<IDBDatabase> | null} */
let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, VERSION);
    asked.onupgradeneeded = () => STORES.forEach((store) => asked.result.createObjectStore(store));
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = asked.onblocked = () => reject(asked.error ?? new Error('blocked'));
  });
  opened.catch(() => { opened = null; });
  return opened;
}

/** Run one request on a store; resolves to its result once it is durable.
 * @param {string} store
 * @param {IDBTransactionMode} mode
 * @param {(objects: IDBObjectStore) => IDBRequest} ask
 * @returns {Promise<any>}
 */
async function run(store, mode, ask) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(store, mode);
    const asked = ask(transaction.objectStore(store));
    transaction.oncomplete = () => resolve(asked.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

export const kept = (store, key) => run(store, 'readonly', (objects) => objects.get(key));
export const allKept = (store) => run(store, 'readonly', (objects) => objects.getAll());
export const keep = (store, key, value) => run(store, 'readwrite', (objects) => objects.put(value, key));
export const forget = (store, key) => run(store, 'readwrite', (objects) => objects.delete(key));
export const forgetAll = (store) => run(store, 'readwrite', (objects) => objects.clear());
