"""Where the time of rows goes that may miss their goals, by profiles on two cores."""

_RELEASE = (
    "By Chromium's trace of mel (busy machine) script takes 6 ms, style 1, layout 2; the server 5 to 8 at best. The rest is the "
    "way between the processes and the wait for a frame."
)
CAUSES = {  # start of "what, against" -> cause
    "STFT, LIBROSA, 1 minute": "Processor time of one thread: 23 ms, of them window and real FFT 10, squares 8 (the "
    "transposed result included), clamping, logarithm, floor 6 (the logarithm alone 3).",
    "mel, ": "At ESC50 one thread takes 3.2 ms: window and FFT 1.4, squares 0.3, the bands' products 1.3, decibels 0.2; CLICKS "
    "5.4 ms: FFT 2.2, squares 0.9, bands 1.4, decibels 0.8. A call itself costs much at these sizes.",
    "mel, NOTEBOOK, 5 s, bare FFTs": "Of 50 ms of one thread window and FFT take 34 (SciPy's FFT as well), squares 8, bands 7.",
    "memory of the server at rest": "Most is torch: its import alone takes 480 MB, the network 140 more, Gradio 180.",
    "alternating with librosa": "librosa's matrix product wakes OpenBLAS's threads, which keep both cores busy for some "
    "milliseconds: with OPENBLAS_NUM_THREADS=1 SPEECH takes 0.5 ms after librosa, 0.4 alone. In the app librosa has a process of "
    "its own.",
    "200 files of 5 s, classify --jobs 2": "Two files take 5.4 s: torch is imported in the command, then in both workers.",
    "one /mel by the API": "A call of /classify takes 45 ms in its handler and 5 to 25 for the upload; the rest is Gradio's "
    "queue, which looks for a reply every 50 ms (`queue_data`). The decoder is a fork and costs 10 ms.",
    "one /classify by the API": "As of /mel.",
    "memory after 2,000": "Open sounds and views, up to their limits, and freed memory that glibc keeps in its arenas.",
    "training step from sounds": "Decoding alone gives fewer clips a second than the bare step takes.",
    "page load, bytes": "Of 346 KB Gradio's scripts, styles and its iframe script have 211, our script 86, texts 19, styles 16, "
    "the page with its configuration 14. Brotli's highest quality would gain 8 % of them for 1 s of the first visitor's time.",
    "page load until usable": "By Chromium's trace the main thread works 0.27 s, that of the empty app 0.13 until its button is "
    "there. Of the rest Gradio's mount of 22 components takes 0.03 s, ours 0.08: evaluation 0.01, the viewer 0.025, style and "
    "layout of its first frame 0.02. The others are 37 responses in one round, 6 at a time, 0.2 ms of the server each, and in a "
    "server that has just started the loading of the network beside them: a second page takes 0.3 s less.",
    "release of a parameter -> repaint, mel": _RELEASE,
    "release of a parameter -> repaint, stft": _RELEASE,
    "release of a parameter -> repaint, mfcc": _RELEASE,
    "release of a parameter -> repaint, surface": "Without a GPU the browser draws WebGL on the processor.",
}
