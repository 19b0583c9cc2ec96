"""`python -m benchmarks`: all benchmarks, in turn."""

from benchmarks import hour_zoom, mel_repaint, play_in_3d, timeline_speed, training_step

mel_repaint.main([])
print()
hour_zoom.main([])
print()
play_in_3d.main([])
print()
timeline_speed.main([])
print()
training_step.main(["--short"])
