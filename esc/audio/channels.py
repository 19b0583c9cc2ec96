"""Selection of a sound track and channel: the mean of all, one, mid or side."""

from __future__ import annotations

import re

import numpy as np

from esc.errors import AudioError, ParameterError

MEAN, EACH = "mean", "each"
_WEIGHTS = {"left": (1.0, 0.0), "right": (0.0, 1.0), "mid": (0.5, 0.5), "side": (0.5, -0.5)}  # of the first two channels
_NUMBER = re.compile(r"[1-9][0-9]{0,2}")
_TRACK = re.compile(r"([1-9][0-9]?):(.+)", re.DOTALL)


def check_channel(channel: str | int, with_each: bool = False) -> str:
    """Return the name of a channel.

    Parameters
    ----------
    channel : str or int
        "mean" of all channels; "left", "right", "mid" (half their sum), "side" (half left minus right) of the first two; or
        the number of a channel, from 1. Of another sound track than the default one with its number: "2:mean", "2:left".
    with_each : bool
        Whether `EACH` is possible, too.

    Raises
    ------
    ParameterError
        It is none of these.
    """
    _, name = split_track(str(channel))
    if with_each and channel == EACH:
        return EACH
    if name != MEAN and name not in _WEIGHTS and not _NUMBER.fullmatch(name):
        choices = [MEAN, *_WEIGHTS, "1, 2, ...", "2:mean, ...", *([EACH] if with_each else [])]
        raise ParameterError("parameter.choice", field="channel", value=channel, choices=", ".join(choices))
    return str(channel)


def split_track(channel: str) -> tuple[int, str]:
    """Return the number of the sound track, 0 for the default one, and its channel."""
    found = _TRACK.fullmatch(channel)
    return (int(found[1]), found[2]) if found else (0, channel)


def is_mean(channel: str) -> bool:
    """Return whether all channels of a track are meant."""
    return split_track(channel)[1] == MEAN


def check_in_file(channel: str, n_channels: int, n_tracks: int, default: int, name: str) -> None:
    """Raise AudioError if the track of the file `name` has no such channel.

    Of the other ones of `n_tracks` it names the mean; a `default` track has no number.
    """
    track, part = split_track(channel)
    needed = 1 if part == MEAN else 2 if part in _WEIGHTS else int(part)
    if needed > n_channels:
        choices = [f"{track}:{one}" if track else one for one in channels_of(n_channels)]
        others = [number for number in range(1, n_tracks + 1) if number != (track or default)]
        choices += [MEAN if number == default else f"{number}:{MEAN}" for number in others]
        raise AudioError("audio.channel", name=name, channel=channel, choices=", ".join(choices))


def check_track(channel: str, n_tracks: int, default: int, name: str) -> str:
    """Return the channel, without a number if its track is the default one.

    Raises
    ------
    AudioError
        The file `name` has no such track.
    """
    track, part = split_track(channel)
    if track > n_tracks:
        raise AudioError("audio.track", name=name, track=track, n_tracks=n_tracks)
    return part if track == default else channel


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
    _, channel = split_track(channel)
    return 2 if channel == "right" else int(channel) if channel.isdigit() else 1


def select_channel(block: np.ndarray, channel: str) -> np.ndarray:
    """Return float32 samples `(n,)` of a channel that the block `(channels, n)` has."""
    _, channel = split_track(channel)
    if channel == MEAN:
        return block[0] if len(block) == 1 else block.mean(axis=0, dtype=np.float64).astype(np.float32)
    if channel in ("mid", "side"):
        first, second = _WEIGHTS[channel]
        return (first * block[0].astype(np.float64) + second * block[1]).astype(np.float32)
    return np.ascontiguousarray(block[channel_number(channel) - 1], np.float32)
