"""Training pipeline: prepare ESC-50, train a ResNet, evaluate it."""
