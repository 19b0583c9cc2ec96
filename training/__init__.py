"""The pipeline behind the classifier: prepare ESC-50, train a ResNet, measure it. `python -m training --help`."""
