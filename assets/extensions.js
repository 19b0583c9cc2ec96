// The modules that extend the viewers (see viewer.js), one a line, in the order in which they are asked and draw.
import './tools.js';
import './minimap.js';
import './look.js';
import './selection.js';
import './harmonics.js';
import './slice.js';
import './fullscreen.js';
import './link.js';
import './coach.js';
import './layers.js';
import './lanes.js';
import './help.js';
