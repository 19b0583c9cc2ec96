"""Where the time of rows goes that may miss their goals, by profiles on two cores."""

_RELEASE = (
    "By Chromium's trace of mel (busy machine) script takes 6 ms, style 1, layout 2; the server 5 to 8 at best. The rest is the "
    "way between the processes and the wait for a frame."
)
_CALL = (
    "An endpoint that does nothing, in an empty Gradio app with the same inputs and outputs, takes 98 ms for /classify and 123 "
    "for /mel. It is gradio_client: for each request it makes an HTTP client, 18 ms of processor for TLS's certificates, and it "
    "looks for the reply every 50 ms (`stream_sse_v1plus`)."
)
CAUSES = {  # start of "what, against" -> cause
    "STFT, LIBROSA, 1 minute": "Processor time of one thread: 23 ms, of them window and real FFT 10, squares 8 (the "
    "transposed result included), clamping, logarithm, floor 6 (the logarithm alone 3).",
    "mel, ": "At ESC50 one thread takes 3.2 ms: window and FFT 1.4, squares 0.3, the bands' products 1.3, decibels 0.2; CLICKS "
    "5.4 ms: FFT 2.2, squares 0.9, bands 1.4, decibels 0.8; SPEECH 0.40: FFT 0.13, squares 0.07, bands 0.07, decibels 0.05 (the "
    "logarithm 0.03), the rest calls and new memory.",
    "mel, NOTEBOOK, 5 s, bare FFTs": "Of 50 ms of one thread window and FFT take 34 (SciPy's FFT as well), squares 8, bands 7.",
    "growth with length, mel spectrogram": "New memory: at LIBROSA an hour has 116,000 page faults, which take 0.25 s of the "
    "system's time while the whole takes 0.43 s; 5 s have none.",
    "memory of the server at rest": "Most is torch: its import alone takes 480 MB, the network 140 more, Gradio 180.",
    "alternating with librosa": "Cold caches and threads that sleep: CLICKS takes 1.8 ms alone, 2.1 after 32 MB were written, "
    "2.2 after 3 ms of sleep, 2.5 after librosa. Without `OPENBLAS_THREAD_TIMEOUT`, which `esc` sets, OpenBLAS's threads kept "
    "both cores busy for 60 ms and more after librosa's matrix product, and LIBROSA took five times as long.",
    "200 files of 5 s, classify --jobs 2": "Two files take 1.6 s: torch is imported in both workers.",
    "one /mel by the API": _CALL,
    "one /classify by the API": _CALL,
    "20 pages, classify and mel in turn": "A pair takes 44 ms of processor: the network 21, by its thread and PyTorch's, mel "
    "spectrograms and their columns 12, Gradio's event loop 9, the rest 2; beside it the visitors take 4. The work in process "
    "takes 28.",
    "20 pages, classify, p95": "Twenty wait for one network and two cores: 20 pairs of 44 ms of processor are 0.44 s of both. A "
    "single page's classification takes 31 ms of them, one of twenty 26, as up to four share a pass. All wait the same: p95 is "
    "1.1 times the median.",
    "memory after 20 visitors": "At rest 0.80 GB; one visitor brings 0.04, twenty 0.11, of them 35 MB of waveforms; 2,000 "
    "requests 0.04, mostly views, of which up to 64 MB are kept.",
    "memory after 2,000": "20 more sessions with a sound each: 9 MB of waveforms, kept until idle for an hour. While requests "
    "come, up to 0.1 GB are freed memory, returned every 10 s.",
    "a clip of 5 s, file -> label": "Processor time of one thread: the forward pass 13.3 ms, decoding 3.6 (opening 0.9, packets "
    "and conversion to floats 1.2, checks and level 1), the clip's search 0.3, its mel spectrogram 1.9.",
    "training step from sounds": "Processor time of a clip's 5 ms: the FLAC 1.5 (libsndfile 1.7), conversion to floats 0.6, "
    "opening 0.6, checks and level 0.6, mel spectrogram 1.5; two processes share the clips, and start in 0.03 s.",
    "page load, bytes": "Of 346 KB Gradio's scripts, styles and its iframe script have 211, our script 86, texts 19, styles 16, "
    "the page with its configuration 14. Brotli's highest quality would gain 8 % of them for 1 s of the first visitor's time.",
    "page load until usable": "Measured in a server that has just started: for 1.3 s it loads the network beside the page. Later "
    "a page takes 1.4 times the empty app's time (0.41 s, 0.30 s). A network loaded 1 s later saved 0.1 to 0.4 s of this, and "
    "doubled the time of the first drop. By Chromium's trace the main thread works 0.27 s, that of the empty app 0.13 until its "
    "button is there: Gradio's mount of 22 components 0.03 s more, ours 0.08 (evaluation 0.01, the viewer 0.025, style and "
    "layout of its first frame 0.02). 37 responses come in one round, 6 at a time, and take 0.2 ms of the server each.",
    "release of a parameter -> repaint, mel": _RELEASE,
    "release of a parameter -> repaint, stft": _RELEASE,
    "release of a parameter -> repaint, mfcc": _RELEASE,
    "release of a parameter -> repaint, surface": "Without a GPU the browser draws WebGL on the processor.",
}
