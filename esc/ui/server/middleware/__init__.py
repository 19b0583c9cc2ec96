"""ASGI middleware around Gradio: checks of requests, response headers, language."""
