"""Public files, and the scripts that the browser modules are joined to."""
