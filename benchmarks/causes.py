"""Where the time of rows goes that may miss their goals, by profiles on two cores."""

CAUSES = {  # start of "what, against" -> cause
    "STFT, LIBROSA, 1 minute": "Processor time of one thread: 23 ms, of them window and real FFT 10, squares 8 (the "
    "transposed result included), clamping, logarithm, floor 6 (the logarithm alone 3).",
    "mel, ": "At ESC50 one thread takes 3.2 ms: window and FFT 1.4, squares 0.3, the bands' products 1.3, decibels 0.2; CLICKS "
    "5.4 ms: FFT 2.2, squares 0.9, bands 1.4, decibels 0.8. A call itself costs much at these sizes.",
    "mel, NOTEBOOK, 5 s, bare FFTs": "Of 50 ms of one thread window and FFT take 34 (SciPy's FFT as well), squares 8, bands 7.",
    "page load, our requests": "Each browser module is a file of its own; there is no bundle.",
    "display change, zoom: requests": "Each new range is requested, even where one column a frame is loaded already.",
    "display change, pan: requests": "Each new range is requested, even where one column a frame is loaded already.",
}
