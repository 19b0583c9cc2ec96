"""Run folders on disk, and progress bars."""
