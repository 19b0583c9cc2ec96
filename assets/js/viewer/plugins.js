// Plugins of the viewers (see viewer.js), in the order in which their hooks are called.
import './toolbar.js';
import './minimap.js';
import './display_panel.js';
import './selection.js';
import './harmonic_cursor.js';
import './spectrum_slice.js';
import './fullscreen.js';
import './permalink.js';
import './resolution_box.js';
import './feature_overlays.js';
import './detection_lanes.js';
import './shortcuts_dialog.js';
