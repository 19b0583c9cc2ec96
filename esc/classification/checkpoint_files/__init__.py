"""Files of a checkpoint: config, metrics, accuracy after distortions, ZIP archives, ONNX export."""
