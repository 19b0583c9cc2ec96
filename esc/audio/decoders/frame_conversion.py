"""Conversion of decoded frames to samples of one rate and number of channels."""

from __future__ import annotations

from collections.abc import Iterator

import av
import numpy as np

from esc.audio.facts import AudioFacts


class FrameConverter:
    """Conversion of frames to float32, all with the first one's rate and channels."""

    def __init__(self, facts: AudioFacts) -> None:
        self._facts = facts
        self._kind: tuple | None = None
        self._to_float: av.AudioResampler | None = None

    def frame(self, frame: av.AudioFrame) -> Iterator[np.ndarray]:
        """Yield a frame's samples, `(channels, n)`."""
        kind = frame.format.name, frame.layout.name, frame.rate
        if kind != self._kind or self._to_float is None:
            yield from self.rest()
            # interleaved: PyAV reads past the end of a frame of 8 planes
            self._kind, self._to_float = kind, av.AudioResampler(format="flt", rate=self._facts.file_rate)
        yield from map(self._channels, self._to_float.resample(frame))

    def rest(self) -> Iterator[np.ndarray]:
        """Yield what the resampler still holds."""
        if self._to_float is not None:
            yield from map(self._channels, self._to_float.resample(None))

    def _channels(self, frame: av.AudioFrame) -> np.ndarray:
        samples = frame.to_ndarray().reshape(-1, frame.layout.nb_channels).T
        if len(samples) != self._facts.channels:
            samples = np.repeat(samples.mean(axis=0, dtype=np.float64)[None], self._facts.channels, axis=0)
        return np.ascontiguousarray(samples, np.float32)
