// Names of labels: classes are shown in the page's language and kept by their own names.

import { labels } from '../../core/labels.js';
import { t, texts } from '../../lib/i18n.js';

export const MOST_LETTERS = 200; // as the server takes

/** A label's name as it is shown. */
export const shownName = (name) => (Object.hasOwn(texts.class_names, name) ? texts.class_names[name] : name) || t('labels.unnamed');

/** The name of a label as typed: a class by its name in any language, else the words themselves. */
export function typedName(text) {
  const words = text.trim().split(/\s+/).join(' ').slice(0, MOST_LETTERS);
  const lower = words.toLowerCase();
  for (const names of texts.all_class_names) {
    const found = Object.keys(names).find((label) => label.toLowerCase() === lower || names[label].toLowerCase() === lower);
    if (found) return found;
  }
  return words;
}

/** Names that were used, the latest first, then all classes, as they are shown. */
export function suggestions() {
  const used = labels.now.list.slice(-1000).reverse().map(({ name }) => name).filter(Boolean);
  return [...new Set([labels.lastName, ...used, ...Object.keys(texts.class_names)].filter(Boolean))].map(shownName);
}
