"""Decoders: FFmpeg's libraries, libsndfile, and files of joined streams."""
