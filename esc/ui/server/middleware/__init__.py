"""ASGI middleware around Gradio: checks of requests, headers and compression of responses."""
