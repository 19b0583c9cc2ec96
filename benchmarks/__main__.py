"""`python -m benchmarks`: all benchmarks, one after the other."""

from benchmarks import hour_zoom, mel_repaint, timeline_speed, training_step

mel_repaint.main()
print()
hour_zoom.main([])
print()
timeline_speed.main([])
print()
training_step.main(["--short"])
