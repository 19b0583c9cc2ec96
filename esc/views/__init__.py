"""Display-sized views of a sound for the screen."""
