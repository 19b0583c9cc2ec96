"""`python -m benchmarks`: all benchmarks, one after the other."""

from benchmarks import mel_repaint

mel_repaint.main()
