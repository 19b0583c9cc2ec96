"""Chunks of a sound with context, whose frames equal those of the whole."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from esc.config import SpectrogramConfig
from esc.errors import ParameterError

CHUNK_S = 10.0  # computed at a time: bounds memory, and is the step of progress reports
MAX_VALUES = 40_000_000  # of a chunk's spectrogram, of which librosa keeps several complex or float64 copies

OnProgress = Callable[[float], None]  # receives the share of the work done so far


@dataclass(frozen=True)
class Chunk:
    """Frames `first` to `first + count - 1`, and the samples to compute them from."""

    samples: np.ndarray  # float32 (n_samples,), from frame `first - skip` on or from the sound's first sample
    first: int
    count: int
    skip: int  # frames of context before frame `first`

    @property
    def own(self) -> slice:
        """The chunk's own frames, without context, among those computed from `samples`."""
        return slice(self.skip, self.skip + self.count)

    def magnitude(self, config: SpectrogramConfig) -> np.ndarray:
        """Return the magnitude of the STFT of `samples`, context included, (n_freqs, n)."""
        import librosa

        n_fft, hop, win = config.n_fft, config.hop_length, config.win_length
        return np.abs(librosa.stft(self.samples, n_fft=n_fft, hop_length=hop, win_length=win, window=config.window))


def iter_chunks(
    waveform: np.ndarray,
    config: SpectrogramConfig,
    frames: tuple[int, int],
    context_s: float,
    on_progress: OnProgress,
    n_freqs: int | None = None,
) -> Iterator[Chunk]:
    """Yield a range of frames in chunks of `CHUNK_S` seconds, with context on both sides.

    A sound that fits into one chunk is yielded whole: librosa then sees all of it. `n_freqs` is the number of values
    of a frame; by default the config's.

    Raises
    ------
    ParameterError
        A chunk has more than `MAX_VALUES` values.
    """
    (first, last), hop, n_freqs = frames, config.hop_length, n_freqs or config.n_freqs
    whole = len(waveform) <= CHUNK_S * config.sample_rate
    at_a_time = last + 1 - first if whole else max(1, round(CHUNK_S * config.sample_rate / hop))
    context = math.ceil(context_s * config.sample_rate / hop)
    n_frames = len(waveform) // hop + 1 if whole else min(at_a_time, last + 1 - first) + 2 * context
    if n_frames * n_freqs > MAX_VALUES:
        raise ParameterError("feature.size", frames=n_frames, n_freqs=n_freqs, hop_length=hop)
    for begin in range(first, last + 1, at_a_time):
        on_progress((begin - first) / (last + 1 - first))
        count = min(at_a_time, last + 1 - begin)
        skip = begin if whole else min(begin, context)
        part = slice(None) if whole else slice((begin - skip) * hop, (begin + count + context) * hop)
        yield Chunk(np.array(waveform[part], np.float32), begin, count, skip)
    on_progress(1.0)
