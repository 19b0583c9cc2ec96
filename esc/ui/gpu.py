"""`on_gpu`: a function may run on the GPU that Hugging Face's ZeroGPU lends; elsewhere it stays as it is.

Imported before torch is used: the `spaces` package has to be there before CUDA is.
"""

try:
    import spaces
except ImportError:

    def on_gpu(function):
        """Leave a function as it is: no GPU is lent here."""
        return function

    def on_gpu_for(seconds_of):
        """Leave a function as it is, however long it takes."""
        return on_gpu
else:
    on_gpu = spaces.GPU(duration=15)

    def on_gpu_for(seconds_of):
        """Lend a function, or a generator, the GPU for as long as `seconds_of` says for the same arguments."""
        return spaces.GPU(duration=seconds_of)
