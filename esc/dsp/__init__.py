"""Signal processing: spectrograms, MFCC, A-weighting and measurements."""
