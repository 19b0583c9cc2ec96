"""Reverberation, noise and band limits on batches of dB spectrograms, on their device.

Powers of mel bands stand for the sound: a room's echoes smear them along time, noise adds to them, a band limit scales them.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch

from esc.config import SpectrogramConfig
from esc.dsp.mel import mel_edges_hz, mel_freqs_hz
from esc.dsp.spectrogram import mel_power, power_to_db
from training.augmentation.distortion import colored_noise
from training.recipes import Augmentation

N_DRAWS = 14  # uniform numbers a clip
RT60_S = (0.2, 1.3)
DIRECT_DB = (-15.0, 10.0)  # direct-to-reverberant ratio
SNR_DB = (-5.0, 30.0)
HIGH_HZ, LOW_HZ = (2_000.0, 16_000.0), (20.0, 400.0)  # upper and lower limit of the band
_NO_DIRECT_SOUND, _NO_LOW_LIMIT, _STEEP = 0.35, 0.5, 0.7  # shares of the clips
_STEEP_DB = 2_000.0  # per octave
_MIN_GAIN_DB = -120.0
_NOISE_EXPONENTS = (0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 1.5, 2.0)  # from white to brown
_PER_EXPONENT = 3


def distort(
    spectrograms_db: torch.Tensor, draws: torch.Tensor, augmentation: Augmentation, config: SpectrogramConfig
) -> torch.Tensor:
    """Return dB spectrograms (batch, n_mels, n_frames), some reverberant, noisy or band-limited.

    `draws`: uniform numbers (batch, `N_DRAWS`); (batch, 0) leaves the spectrograms unchanged.
    """
    if not draws.shape[1]:
        return spectrograms_db
    power = (spectrograms_db * (math.log(10.0) / 10.0)).exp()
    room, noise, band = draws.split((4, 4, 6), dim=1)
    for change, share, numbers in (
        (reverberate, augmentation.room_share, room),
        (add_noise, augmentation.noise_share, noise),
        (limit_band, augmentation.band_share, band),
    ):
        chosen = torch.nonzero(numbers[:, 0] < share)[:, 0]
        if len(chosen):
            power[chosen] = change(power[chosen], numbers[chosen, 1:], config)
    return power_to_db(power, config)


def reverberate(power: torch.Tensor, draws: torch.Tensor, config: SpectrogramConfig) -> torch.Tensor:
    """Return power spectrograms smeared along time by exponential decays; their power is kept.

    `draws` (batch, 3): reverberation time, direct sound, and whether there is any.
    """
    n_frames = power.shape[2]
    rt60_s = _between(draws[:, 0], *map(math.log, RT60_S)).exp()
    times_s = torch.arange(n_frames, device=power.device) * (config.hop_length / config.sample_rate)
    tail = torch.exp(-math.log(1e6) * times_s / rt60_s[:, None])
    direct = 10 ** (_between(draws[:, 1], *DIRECT_DB) / 10)
    tail[:, 0] += torch.where(draws[:, 2] < _NO_DIRECT_SOUND, 0.0, direct) * tail.sum(dim=1)
    tail /= tail.sum(dim=1, keepdim=True)
    spectrum = torch.fft.rfft(power, 2 * n_frames) * torch.fft.rfft(tail, 2 * n_frames)[:, None]
    return torch.fft.irfft(spectrum, 2 * n_frames)[..., :n_frames].clamp_min(0.0)


def add_noise(power: torch.Tensor, draws: torch.Tensor, config: SpectrogramConfig) -> torch.Tensor:
    """Return power spectrograms with noise, from white to brown, shifted circularly in time.

    `draws` (batch, 3): signal-to-noise ratio, noise, shift.
    """
    n_frames = power.shape[2]
    noises, widths = _noises(config, n_frames, power.device)
    chosen, shift = ((draws[:, column] * length).long() for column, length in ((1, len(noises)), (2, n_frames)))
    frames = (torch.arange(n_frames, device=power.device) + shift[:, None]) % n_frames
    noise = noises[chosen].gather(2, frames[:, None].expand(-1, power.shape[1], -1))
    share = 10 ** (-_between(draws[:, 0], *SNR_DB) / 10)
    return power + noise * _total(power, widths) * share[:, None, None]


def limit_band(power: torch.Tensor, draws: torch.Tensor, config: SpectrogramConfig) -> torch.Tensor:
    """Return power spectrograms that fall above a frequency, half of them also below another.

    `draws` (batch, 5): upper limit, whether it is steep, slope, lower limit and whether there is any, slope.
    """
    freqs_hz = torch.from_numpy(mel_freqs_hz(config)).to(power.device, torch.float32)
    high_hz = _between(draws[:, :1], *map(math.log, HIGH_HZ)).exp()
    slope_db = torch.where(draws[:, 1:2] < _STEEP, _STEEP_DB, 12.0 + 36.0 * draws[:, 2:3])
    low = (draws[:, 3:4] - _NO_LOW_LIMIT) / (1.0 - _NO_LOW_LIMIT)
    low_hz = torch.where(low < 0, 1.0, _between(low, *map(math.log, LOW_HZ)).exp())
    above, below = (freqs_hz / high_hz).log2().clamp_min(0.0), (low_hz / freqs_hz).log2().clamp_min(0.0)
    gain_db = -(slope_db * above + (6.0 + 24.0 * draws[:, 4:5]) * below)
    return power * (10 ** (gain_db.clamp_min(_MIN_GAIN_DB) / 10))[:, :, None]


def _between(draws: torch.Tensor, low: float, high: float) -> torch.Tensor:
    return low + (high - low) * draws


def _total(power: torch.Tensor, widths: torch.Tensor) -> torch.Tensor:
    """Return the mean power (batch, 1, 1) of the sounds, up to a common factor."""
    return (power * widths).sum(dim=1, keepdim=True).mean(dim=2, keepdim=True)


@lru_cache(maxsize=4)
def _noises(config: SpectrogramConfig, n_frames: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Return noises of power 1 (n_noises, n_mels, n_frames), and band widths in Hz."""
    rng, n_samples = np.random.default_rng(0), n_frames * config.hop_length
    made = [colored_noise(n_samples, config.sample_rate, slope, rng) for slope in _NOISE_EXPONENTS for _ in range(_PER_EXPONENT)]
    edges = mel_edges_hz(config)
    widths = torch.from_numpy((edges[2:] - edges[:-2]) / 2).float()[:, None]
    power = torch.stack([mel_power(one, config)[:, :n_frames] for one in made])
    return (power / _total(power, widths)).to(device), widths.to(device)
