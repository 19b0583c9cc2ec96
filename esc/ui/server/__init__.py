"""Server functions of the page."""
