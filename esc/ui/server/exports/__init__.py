"""What is taken away of a view: image, numbers, code, notebook."""
