// The modules that extend the viewers (see viewer.js), one a line, in the order in which they are asked and draw.
