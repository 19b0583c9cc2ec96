"""`python -m benchmarks`: all benchmarks, one after the other."""

from benchmarks import mel_repaint, timeline_speed

mel_repaint.main()
print()
timeline_speed.main([])
