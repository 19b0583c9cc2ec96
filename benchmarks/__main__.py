"""`python -m benchmarks`: all benchmarks, in turn."""

from benchmarks import hour_zoom, mel_repaint, play_in_3d, timeline_speed, training_step

for benchmark in (mel_repaint, hour_zoom, play_in_3d, timeline_speed):
    benchmark.main([])
    print()
training_step.main(["--rounds", "3", "--steps", "2"])
