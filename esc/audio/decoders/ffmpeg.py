"""Decoding by FFmpeg's libraries: all that is whole, whatever the header says."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from types import MappingProxyType

import av
import numpy as np

from esc.audio.decoders.frame_conversion import FrameConverter
from esc.audio.decoders.libsndfile import SndfileTrack, open_by_libsndfile
from esc.audio.decoders.links import FileSection, file_links
from esc.audio.extent import EXACT_TOLERANCE_S, read_chunk, read_extent
from esc.audio.facts import AudioFacts
from esc.audio.metadata import read_metadata

DEMUXERS = (  # none that opens other files, as playlists do
    "aac,ac3,adx,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,dsf,dts,eac3,flac,flv,iff,ircam,loas,matroska,mlp,mov,mp3,mpc,mpc8,mpeg,"
    "mpegts,mxf,nistsphere,nut,ogg,oma,qcp,rm,rso,sox,tak,truehd,tta,voc,w64,wav,wtv,wv,xwma"
)
_FORMAT_PCM = b"\1\0"  # WAVE_FORMAT_PCM, the tag of a WAV
_SHORT_SEARCH = MappingProxyType({"max_probe_packets": "2"})  # 32 KB of 44.1 kHz stereo: 8 frames of DTS
_SKIP_MANUAL = 1 << 29  # AV_CODEC_FLAG2_SKIP_MANUAL
_ESTIMATED = ("aac", "ac3", "amr", "amrnb", "amrwb", "eac3", "loas", "mpeg", "mpegts", "ogg")  # no length in the header
_TIMED = ("mov", "matroska")  # their time stamps count: players are silent where there is no sound
_TAGS = (b"ID3", b"TAG", b"APETAGEX", b"Xing", b"Info", b"LYRICSBEGIN")  # between MP3s that were joined
_GAP_S, _LOST_S, _DELAY_S = 0.1, 10.0, 60.0  # s: the shortest gap, the longest by lost packets, the longest before a sound
_TOLERANCE_S, _PRIMING = 0.3, 4_096  # s and samples that a codec's delay may take from the header's length
_DOUBTFUL = (  # (container, codec) that FFmpeg's libraries take for something else or decode worse than libsndfile
    ("aiff", "gsm"), ("au", "g726le"), ("w64", "adpcm_ms"), ("wav", "adpcm_ms"), ("wav", "amrnb"), ("wav", "g726"),
)  # fmt: skip
_LOSSLESS = ("flac", "alac", "wavpack", "tta", "ape")
_HEAD_BYTES = 2_048  # before the first packet of an MP3, where a header in its own frame may stand
_LEAST_PACKET = 8  # bytes; no codec's packet is smaller
_BLOCK = 1 << 18  # samples per channel yielded at a time: 6 s at 44.1 kHz


def open_track(path: Path, number: int = 0) -> Track | JoinedTracks | SndfileTrack:
    """Return a sound track, 0 for the default one; raises as `Track` does."""
    links, cut_off = file_links(path)
    try:
        track = JoinedTracks(path, links, cut_off, number) if links else Track(path, number=number)
    except LookupError:
        raise
    except (av.FFmpegError, OSError, ValueError):
        if other := open_by_libsndfile(path):
            return other
        raise
    if isinstance(track, Track) and track.doubtful and (other := open_by_libsndfile(path)):
        track.close()
        return other
    return track


class Track:
    """A sound track of an open file, by default its default one.

    Raises LookupError if there is none; `av.FFmpegError`, OSError or ValueError if it can't be decoded.

    Attributes
    ----------
    facts : AudioFacts
        All but the counts are completed by `blocks`.
    """

    def __init__(self, path: Path, section: FileSection | None = None, like: AudioFacts | None = None, number: int = 0) -> None:
        self._file, self._like, self._number = section, like, number  # what else to close; rate and channels of the blocks
        try:
            options = {"format_whitelist": DEMUXERS, "protocol_whitelist": "file"}
            if read_chunk(path, b"fmt ", len(_FORMAT_PCM)) == _FORMAT_PCM:
                options |= _SHORT_SEARCH  # for DTS and AC-3 in its samples: 32 packets would take five times as long as decoding
            # as a URL: a colon in a relative path would begin with a protocol; tags may be in any encoding
            self._container = av.open(section or f"file:{path}", "r", options=options, metadata_errors="surrogateescape")
            self._open(path)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        for file in filter(None, (getattr(self, "_container", None), self._file)):
            file.close()

    @property
    def doubtful(self) -> bool:
        """Whether libsndfile is to be preferred, if it reads the file."""
        return (self.facts.container, self.facts.codec) in _DOUBTFUL or self._extent.big_endian

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield the samples as float32 `(channels, n)`."""
        return self._extent.trimmed(self._blocks())

    def _blocks(self) -> Iterator[np.ndarray]:
        waiting: list[np.ndarray] = []
        n_waiting = 0
        with closing(self):
            for samples in self._samples():
                waiting.append(samples)
                n_waiting += samples.shape[1]
                if n_waiting >= _BLOCK:
                    yield np.concatenate(waiting, axis=1)
                    waiting, n_waiting = [], 0
            self._compare_lengths()
        if waiting:
            yield np.concatenate(waiting, axis=1)

    def _open(self, path: Path) -> None:
        best, tracks = self._container.streams.best("audio"), [*self._container.streams.audio]
        stream = tracks[self._number - 1] if 0 < self._number <= len(tracks) else best
        if best is None or not isinstance(stream, av.AudioStream):
            raise LookupError("no sound track")
        if not stream.codec_context:
            raise ValueError("unknown codec")
        self._stream, codec = stream, stream.codec_context
        self._end_s, self._first_byte, self._lost = 0.0, 0, False  # end of all packets; whether one was lost since the last frame
        self._decoded_s, self._gap, self._sizes = 0.0, False, set[int]()  # sizes of packets
        self._ticks_s = defaultdict(float, {one.index: float(one.time_base or 0) for one in self._container.streams})
        self.facts = facts = AudioFacts(codec.sample_rate, codec.channels, self._container.format.name.split(",")[0], codec.name)
        facts.tracks, facts.default_track = len(tracks), [one.index for one in tracks].index(best.index) + 1
        facts.metadata = read_metadata(path, {**stream.metadata, **self._container.metadata})
        if codec.name == "flac":
            codec.options = {"err_detect": "crccheck"}
        elif codec.name == "alac":  # whose last packet is as short as its samples: a CAF's remainder would be cut twice
            codec.flags2 |= _SKIP_MANUAL
        frames = self._frames()
        if first := next(frames, None):  # what a header says of rate and channels may be wrong
            facts.file_rate, facts.channels = first.rate, first.layout.nb_channels
            facts.bits = _bits(codec, first)
        if not facts.file_rate or not facts.channels or (first is None and facts.damaged):
            raise ValueError("no packet can be decoded")
        self._all_frames = chain([first] if first else [], frames)
        self._read_lengths(path)

    def _read_lengths(self, path: Path) -> None:
        """Complete the facts by what the header says of the length."""
        facts, announced_s = self.facts, (self._container.duration or 0) / av.time_base
        facts.steady = announced_s > 0 and facts.tracks == 1
        estimated = facts.container in _ESTIMATED
        if facts.container == "mp3":
            with path.open("rb") as file:
                file.seek(max(0, self._first_byte - _HEAD_BYTES))
                head = file.read(_HEAD_BYTES + 256)
            facts.steady &= b"Xing" not in head  # which stands for a variable bit rate
            estimated = not any(tag in head for tag in (b"Xing", b"Info", b"VBRI"))
        self._extent = extent = read_extent(path)
        facts.steady &= extent.exact
        facts.announced_s = 0.0 if estimated or extent.unfinished else announced_s

    def _packets(self) -> Iterator[av.Packet]:
        """Yield the sound track's packets, also those after an error of the container."""
        while True:
            position_s = self._end_s
            try:
                for packet in self._container.demux():
                    if packet.pts is not None:
                        tick_s = self._ticks_s[packet.stream_index]
                        self._end_s = max(self._end_s, (packet.pts + (packet.duration or 0)) * tick_s)
                    if packet.stream_index == self._stream.index:
                        yield packet
                return
            except (av.FFmpegError, ValueError):
                self.facts.damaged = True
                if self._end_s <= position_s:
                    return

    def _frames(self) -> Iterator[av.AudioFrame]:
        """Yield the frames of all packets that can be decoded."""
        for packet in self._packets():
            self._first_byte = self._first_byte or packet.pos or 0
            try:
                frames = self._stream.decode(packet)  # a damaged header may have given the packet another kind of stream
            except (av.FFmpegError, ValueError):
                if packet.size < _LEAST_PACKET:  # side data, or what aligns the end of a W64
                    continue
                self.facts.damaged |= not any(tag in bytes(packet) for tag in _TAGS)
                self._lost, self.facts.steady = True, False
                continue
            if packet.size:
                self._sizes.add(packet.size)
            for frame in frames:
                if isinstance(frame, av.AudioFrame) and frame.samples:
                    yield frame

    def _samples(self) -> Iterator[np.ndarray]:
        """Yield the samples of all frames, and zeros for gaps in the time stamps."""
        facts, convert = self.facts, FrameConverter(self._like or self.facts)
        tick_s = self._ticks_s[self._stream.index]
        clock_s = self._origin_s() if facts.container in _TIMED else None
        for frame in self._all_frames:
            start_s = clock_s if frame.pts is None else frame.pts * tick_s
            if clock_s is not None and start_s is not None and start_s - clock_s > _GAP_S:
                yield from self._silence(start_s - clock_s)
            self._lost = False
            yield from convert.frame(frame)
            self._decoded_s += frame.samples / frame.rate
            clock_s = None if start_s is None else start_s + frame.samples / frame.rate
            self._end_s = max(self._end_s, clock_s or 0.0)
        yield from convert.rest()

    def _origin_s(self) -> float:
        """Return the time at which players begin, in the container's time."""
        if self.facts.container == "mov":
            return 0.0  # its edit list, applied to the time stamps, may let the sound begin later
        return (self._container.start_time or 0) / av.time_base

    def _silence(self, seconds: float) -> Iterator[np.ndarray]:
        """Yield zeros for a gap in a timed container."""
        facts = self.facts
        facts.steady = False
        if facts.container not in _TIMED:
            # a longer one lies between joined streams
            self._gap |= seconds <= _LOST_S and facts.container != "avi"  # whose time stamps count chunks
        elif not self._lost and seconds <= max(_DELAY_S, (self._container.duration or 0) / av.time_base):
            missing = round(seconds * facts.file_rate)
            for start in range(0, missing, _BLOCK):
                yield np.zeros((facts.channels, min(_BLOCK, missing - start)), np.float32)

    def _compare_lengths(self) -> None:
        """Complete the facts by what was found instead of what was announced."""
        facts = self.facts
        played_s = self._end_s - (self._container.start_time or 0) / av.time_base
        facts.damaged |= self._gap and played_s - self._decoded_s > _GAP_S
        if self._extent.known:
            facts.cut_off |= self._extent.missing * self._decoded_s > EXACT_TOLERANCE_S
        elif facts.announced_s:
            missing_s = facts.announced_s - max(self._decoded_s, played_s)
            exact = facts.codec.startswith(("pcm", *_LOSSLESS))
            tolerance_s = EXACT_TOLERANCE_S if exact else _TOLERANCE_S + _PRIMING / facts.file_rate
            facts.cut_off |= missing_s > tolerance_s
            if facts.container == "flac":  # whose parser drops damaged frames without an error
                facts.damaged |= not facts.cut_off and facts.announced_s - self._decoded_s > EXACT_TOLERANCE_S
            facts.steady &= abs(missing_s) <= tolerance_s
        constant = facts.container != "mp3" or max(self._sizes, default=0) - min(self._sizes, default=0) <= 1
        facts.steady &= constant and not facts.damaged


class JoinedTracks:
    """The links of a file in order, used like `Track`."""

    def __init__(self, path: Path, links: list[tuple[int, int]], cut_off: bool, number: int) -> None:
        self._path, self._links, self._number = path, links, number
        self._first = self._track(0)
        self.facts = self._first.facts
        self.facts.cut_off = cut_off
        self.facts.steady &= len(links) == 1

    def close(self) -> None:
        """Close the file."""
        self._first.close()

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield the samples as float32 `(channels, n)`, of all links as of the first one."""
        yield from self._first.blocks()
        for number in range(1, len(self._links)):
            try:
                track = self._track(number)
            except (LookupError, av.FFmpegError, OSError, ValueError):
                self.facts.damaged = True
                continue
            yield from track.blocks()
            self.facts.damaged |= track.facts.damaged
            self.facts.cut_off |= track.facts.cut_off

    def _track(self, number: int) -> Track:
        return Track(self._path, FileSection(self._path, *self._links[number]), self.facts if number else None, self._number)


def _bits(codec: av.AudioCodecContext, frame: av.AudioFrame) -> int:
    """Return the width of a lossless codec's integers, else 0."""
    if digits := re.match(r"pcm_[su](\d+)", codec.name):
        return int(digits[1])
    if codec.name == "flac" and codec.extradata:  # STREAMINFO
        return ((codec.extradata[12] & 1) << 4 | codec.extradata[13] >> 4) + 1
    return 16 if codec.name in _LOSSLESS and frame.format.name.startswith("s16") else 0
