"""The components of the page, one module a tab."""
