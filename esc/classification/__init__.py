"""The classifier: network, checkpoint, sliding window, saliency and similarity."""
