// What can be done with labels, from keys, lanes and list alike.

import { request } from '../../core/rpc.js';
import { seek, select, showMessage, state } from '../../core/state.js';
import { addLabels, changeLabel, chooseLabel, chosenLabel, labels } from '../../core/labels.js';
import { t } from '../../lib/i18n.js';
import { playInterval } from '../../player/playback.js';
import { askName } from './name_field.js';

/** Name the selection: a new label, or another name for the chosen one. */
export function nameSelection(viewer) {
  const { selection } = state;
  const chosen = chosenLabel();
  if (chosen) return renameLabel(viewer, chosen);
  if (!selection) return showMessage(t('labels.select_first'), 'note');
  askName(viewer, selection, labels.lastName, (name) => addLabels([{ ...selection, name }]));
}

export function renameLabel(viewer, label) {
  askName(viewer, label, label.name, (name) => changeLabel(label.id, { name }));
}

/** Choose a label, show it, and play it from its start. */
export function playLabel(label) {
  if (label.end > label.start) playInterval({ start: label.start, end: label.end });
  else seek(label.start);
  chooseLabel(label.id);
}

/** Move the selection's edges, and the chosen label's, to where the energy rises and falls nearby. */
export async function snapSelection(viewer) {
  const { selection, sound } = state;
  if (!selection) return showMessage(t('labels.select_first'), 'note');
  try {
    const { start, end } = await request(viewer.server.snap_edges, { sound: sound.id, ...selection });
    if (viewer.signal.aborted || state.selection !== selection) return;
    if (start === null && end === null) return showMessage(t('labels.no_edge'), 'note');
    const moved = { ...selection, start: start ?? selection.start, end: end ?? selection.end };
    if (moved.end > moved.start) select(moved, { edit: true });
  } catch (error) {
    if (!viewer.signal.aborted) showMessage(error.message);
  }
}
