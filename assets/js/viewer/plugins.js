// Plugins of the 2D viewers (see viewer.js), in the order in which their hooks are called.

import { clockReading } from './clock_reading.js';
import { detectionLanes } from './detection_lanes.js';
import { displayPanel } from './display_panel.js';
import { featureOverlays } from './feature_overlays.js';
import { fullScreen } from './fullscreen.js';
import { labelList } from './labels/label_list.js';
import { labelTrack } from './labels/label_track.js';
import { harmonicCursor } from './harmonic_cursor.js';
import { addMinimap } from './minimap.js';
import { addLink } from './permalink.js';
import { resolutionBox } from './resolution_box.js';
import { saveMenu } from './save_menu.js';
import { selectionValues } from './selection.js';
import { shortcutsDialog } from './shortcuts_dialog.js';
import { spectrumSlice } from './spectrum_slice.js';
import { toolbar } from './toolbar.js';
import { waveformStrip } from './waveform_strip.js';

/** @type {((viewer: any) => any)[]} */
export const PLUGINS = [
  toolbar, clockReading, addMinimap, displayPanel, selectionValues, harmonicCursor, spectrumSlice, saveMenu, fullScreen, addLink,
  resolutionBox, featureOverlays, labelTrack, detectionLanes, labelList, waveformStrip, shortcutsDialog,
];
