"""Selection of a channel: the mean of all, one of them, mid or side."""

from __future__ import annotations

import re

import numpy as np

from esc.errors import AudioError, ParameterError

MEAN, EACH = "mean", "each"
_WEIGHTS = {"left": (1.0, 0.0), "right": (0.0, 1.0), "mid": (0.5, 0.5), "side": (0.5, -0.5)}  # of the first two channels
_NUMBER = re.compile(r"[1-9][0-9]{0,2}")


def check_channel(channel: str | int) -> str:
    """Return the name of a channel.

    Parameters
    ----------
    channel : str or int
        "mean" of all channels; "left", "right", "mid" (half their sum), "side" (half left minus right) of the first two; or
        the number of a channel, from 1.

    Raises
    ------
    ParameterError
        It is none of these.
    """
    name = str(channel)
    if name != MEAN and name not in _WEIGHTS and not _NUMBER.fullmatch(name):
        raise ParameterError("parameter.choice", field="channel", value=name, choices=", ".join([MEAN, *_WEIGHTS, "1, 2, ..."]))
    return name


def check_in_file(channel: str, n_channels: int, name: str) -> None:
    """Raise AudioError if the file `name` has no such channel."""
    needed = 1 if channel == MEAN else 2 if channel in _WEIGHTS else int(channel)
    if needed > n_channels:
        raise AudioError("audio.channel", name=name, channel=channel, choices=", ".join(channels_of(n_channels)))


def channels_of(n_channels: int) -> tuple[str, ...]:
    """Return the names of all channels that a file of `n_channels` has."""
    return (MEAN, *(_WEIGHTS if n_channels > 1 else ()), *channel_numbers(n_channels))


def channel_numbers(n_channels: int) -> tuple[str, ...]:
    """Return the names of the single channels."""
    return tuple(str(number) for number in range(1, n_channels + 1))


def distinct_channels(n_channels: int) -> tuple[str, ...]:
    """Return the names of the channels by their usual words: of two, left and right."""
    return ("left", "right") if n_channels == 2 else channel_numbers(n_channels)


def channel_number(channel: str) -> int:
    """Return the number of the file's channel, from 1; 1 for those computed from several."""
    return 2 if channel == "right" else int(channel) if channel.isdigit() else 1


def select_channel(block: np.ndarray, channel: str) -> np.ndarray:
    """Return float32 samples `(n,)` of a channel that the block `(channels, n)` has."""
    if channel == MEAN:
        return block[0] if len(block) == 1 else block.mean(axis=0, dtype=np.float64).astype(np.float32)
    if channel in ("mid", "side"):
        return (np.asarray(_WEIGHTS[channel]) @ block[:2]).astype(np.float32)
    return np.ascontiguousarray(block[channel_number(channel) - 1], np.float32)
