"""Sessions, their sounds and uploaded files."""
