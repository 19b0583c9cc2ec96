"""`python -m benchmarks`: all benchmarks, one after the other."""

from benchmarks import mel_repaint, timeline_speed, training_step

mel_repaint.main()
print()
timeline_speed.main([])
print()
training_step.main(["--short"])
