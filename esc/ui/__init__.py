"""The page: the only place beside app.py that knows Gradio."""
