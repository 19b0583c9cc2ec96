"""Signal processing: spectrograms, mel filter bank, MFCC and measurements."""
