"""Timeline of a sound: windows, segments and their summary."""
