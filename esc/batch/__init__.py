"""Classification of many files."""
