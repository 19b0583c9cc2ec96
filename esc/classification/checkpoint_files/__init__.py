"""Files stored with a checkpoint: metrics, accuracy after distortions, and ZIP archives."""
