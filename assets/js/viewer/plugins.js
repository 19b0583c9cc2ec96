// The modules that extend the viewers (see viewer.js), one a line, in the order in which they are asked and draw.
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
