"""`on_gpu`: a function may run on the GPU that Hugging Face's ZeroGPU lends; elsewhere it stays as it is.

Imported before torch is used: the `spaces` package has to be there before CUDA is.
"""

try:
    import spaces
except ImportError:

    def on_gpu(function):
        """Leave a function as it is: no GPU is lent here."""
        return function
else:
    on_gpu = spaces.GPU(duration=15)
