"""STFT, mel spectrogram and decibels, in torch.

Everything takes a NumPy array or a torch tensor, one waveform `(n_samples,)` or a batch `(..., n_samples)`, on any
device, and equals librosa 0.11's functions of the same names and parameters. Frames are centred: frame t covers the
samples around `t * hop_length`, with zeros beyond both ends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import torch

from esc.config import InputConfig, SpectrogramConfig
from esc.dsp.chunk_threads import map_chunks
from esc.dsp.decibels import AMIN, reference_power
from esc.dsp.mel import mel_filter_blocks
from esc.dsp.windows import periodic_window
from esc.errors import AudioError

_STANDARDISE_EPS = 1e-6
_FRAMES_PER_S = 50  # whose means give the constant offset
_CHUNK_SAMPLES = 2**19  # transformed at a time on a CPU: less than its cache holds, enough to outweigh the calls
_SHARE_SAMPLES = 2**20  # transformed by a thread: some 2 ms


def stft_power(
    waveform: np.ndarray | torch.Tensor, config: SpectrogramConfig, center: bool = True, precise: bool = False
) -> torch.Tensor:
    """Return the squared magnitude of the short-time Fourier transform.

    Parameters
    ----------
    waveform : array or tensor, shape (..., n_samples)
        At `config.sample_rate`, nominally in [-1, 1].
    config : SpectrogramConfig
    center : bool
        False if `n_fft // 2` samples of context are already on both sides.
    precise : bool
        Whether the transform is computed in float64, as librosa's is. In float32 its rounding moves bins 80 dB below the
        frame's loudest by up to 0.02 dB.

    Returns
    -------
    tensor, float32, shape (..., n_freqs, n_frames)
        Power, not normalised: a sine of amplitude 1 under a Hann window peaks at `(win_length / 4) ** 2`.
        Equals `abs(librosa.stft(y, n_fft=..., win_length=..., hop_length=..., window=...)) ** 2`.
    """
    frames = _frames(waveform, config, center)
    power = frames.new_empty(*frames.shape[:-1], config.n_freqs)

    def keep(part: slice, spectra: torch.Tensor) -> None:
        power[..., part, :] = spectra

    _power_spectra(frames, config, precise, keep)
    return power.mT


def mel_power(
    waveform: np.ndarray | torch.Tensor, config: SpectrogramConfig, center: bool = True, precise: bool = False
) -> torch.Tensor:
    """Return the mel power spectrogram, shape (..., n_mels, n_frames); equals `librosa.feature.melspectrogram`."""
    frames = _frames(waveform, config, center)
    power = frames.new_empty(*frames.shape[:-2], config.n_mels, frames.shape[-2])
    blocks = [(torch.from_numpy(block).to(power.device), bins) for block, bins in mel_filter_blocks(config)]

    def keep_bands(part: slice, spectra: torch.Tensor) -> None:
        power[..., part] = torch.cat([spectra[..., bins] @ block.T for block, bins in blocks], dim=-1).mT

    _power_spectra(frames, config, precise, keep_bands)
    return power


def _frames(waveform: np.ndarray | torch.Tensor, config: SpectrogramConfig, center: bool) -> torch.Tensor:
    """Return a view of the overlapping frames, float32 (..., n_frames, n_fft)."""
    samples = torch.as_tensor(waveform)
    if not samples.is_floating_point():
        raise AudioError("audio.whole", dtype=str(samples.dtype).removeprefix("torch."))
    samples = samples.float()
    if center:
        samples = torch.nn.functional.pad(samples, (config.n_fft // 2, config.n_fft // 2))
    return samples.unfold(-1, config.n_fft, config.hop_length)


def _power_spectra(
    frames: torch.Tensor, config: SpectrogramConfig, precise: bool, keep: Callable[[slice, torch.Tensor], None]
) -> None:
    """Pass the power spectra (..., n, n_freqs) of each n frames to `keep`."""
    n_frames, dtype = frames.shape[-2], torch.float64 if precise else torch.float32
    window = _window(config.window, config.win_length, config.n_fft).to(frames.device, dtype)
    samples_a_frame = max(1, frames[..., 0, :].numel())
    on_cpu = frames.device.type == "cpu"
    step, share = (max(1, size // samples_a_frame) if on_cpu else n_frames for size in (_CHUNK_SAMPLES, _SHARE_SAMPLES))

    @torch.inference_mode()  # the mode is a thread's own
    def compute(first: int) -> None:
        for start in range(first, min(first + share, n_frames), step):
            part = slice(start, min(start + step, first + share))
            stft = torch.fft.rfft(frames[..., part, :] * window).to(torch.complex64)
            squares = torch.view_as_real(stft).square_()
            keep(part, squares[..., 0] + squares[..., 1])

    starts = range(0, n_frames, share)
    deque(map_chunks(compute, starts) if on_cpu else map(compute, starts), maxlen=0)


def power_to_db(power: torch.Tensor, config: SpectrogramConfig) -> torch.Tensor:
    """Return power in dB over `config.db_ref`, floored `top_db` below each spectrogram's own maximum.

    Each spectrogram (the last two axes) of a batch has its own floor, and with "max" its own reference; silence becomes one
    flat value. Equals `librosa.power_to_db(S, ref=db_ref, top_db=top_db)` of each, with `ref=np.max` for "max".
    """
    level_db = power.clamp_min(AMIN)  # a copy; new memory for each step takes three times as long
    reference = level_db.amax(dim=(-2, -1), keepdim=True) if config.db_ref == "max" else reference_power(config)
    level_db.div_(reference).log10_().mul_(10.0)
    return level_db.clamp_min_(level_db.amax(dim=(-2, -1), keepdim=True) - config.top_db)


def stft_db(waveform: np.ndarray | torch.Tensor, config: SpectrogramConfig) -> torch.Tensor:
    """Return the STFT in dB, float32, shape (..., n_freqs, n_frames)."""
    return power_to_db(stft_power(waveform, config), config)


def mel_db(waveform: np.ndarray | torch.Tensor, config: SpectrogramConfig) -> torch.Tensor:
    """Return the mel spectrogram in dB, float32, shape (..., n_mels, n_frames)."""
    return power_to_db(mel_power(waveform, config), config)


def clip_mel_db(clips: np.ndarray | torch.Tensor, config: SpectrogramConfig) -> torch.Tensor:
    """Return `mel_db` of clips (..., n_samples) without their constant offset.

    This is the network's input before level scaling, in training and prediction: an offset would be a line in the lowest
    bands and a click at both ends. The offset is the median of the means of 20 ms: a loud event with an asymmetric
    waveform does not move it.
    """
    samples = torch.as_tensor(clips)
    if samples.is_floating_point():
        frame = min(samples.shape[-1], config.sample_rate // _FRAMES_PER_S)
        means = samples.unfold(-1, frame, frame).mean(dim=-1, dtype=torch.float64)
        samples = (samples - means.median(dim=-1, keepdim=True).values).float()
    return mel_db(samples, config)


def network_input(db: torch.Tensor, config: InputConfig) -> torch.Tensor:
    """Return mel spectrograms in dB, (..., n_mels, n_frames), scaled for the network.

    A silent clip becomes zeros ("clip", "notebook").
    """
    if config.scaling == "dataset":
        return (db - config.mean_db) / config.std_db
    centred = db - db.mean(dim=(-2, -1), keepdim=True)
    std = centred.square().mean(dim=(-2, -1), keepdim=True).sqrt()  # torch's own std takes thirty times as long
    standard = centred / (std + _STANDARDISE_EPS)
    if config.scaling == "clip":
        return standard
    low, high = standard.amin(dim=(-2, -1), keepdim=True), standard.amax(dim=(-2, -1), keepdim=True)
    return torch.where(high - low > _STANDARDISE_EPS, 255.0 * (standard - low) / (high - low), 0.0).trunc()


@lru_cache(maxsize=16)
def _window(name: str, win_length: int, n_fft: int) -> torch.Tensor:
    """Return a window with zeros on both sides, float64, shape (n_fft,)."""
    before = (n_fft - win_length) // 2
    window = np.pad(periodic_window(name, win_length), (before, n_fft - win_length - before))
    return torch.from_numpy(window)
