"""ESC-50: download, folds and preprocessing."""
