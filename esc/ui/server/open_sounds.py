"""Open sounds as the page gets them: their facts, and copies for slow playback."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from pathlib import Path

from esc.audio.channels import distinct_channels, is_mean
from esc.audio.decoded_files import LOWEST_RATE, copy_rate
from esc.audio.facts import integer_scale
from esc.audio.transcode import MAX_SLOWED_BYTES, SLOWDOWN, Decoded, write_slowed_in_worker
from esc.config import SAMPLE_RATES
from esc.dsp.decibels import amplitude_to_dbfs
from esc.ui.i18n.catalogue import note_messages
from esc.ui.server.public.files import playable_url
from esc.ui.server.rendering import ENVELOPE_COLUMNS, as_base64, envelope
from esc.ui.sessions.decoding import DECODE_SECONDS
from esc.ui.sessions.sound import Sound
from esc.ui.sessions.sound_store import SoundStore


def sound_facts(sound: Sound, example: str | None, language: str) -> dict:
    """Return a sound's facts and envelope."""
    facts = sound.facts
    notes = [key for key in facts.notes if key not in ("phase", "scale")]  # the page itself offers channels and scale
    return {
        "id": sound.id,
        "digest": sound.digest,
        "name": sound.name,
        "example": example,
        "url": playable_url(sound.playable),
        "seconds": sound.seconds,
        "sample_rate": facts.sample_rate,
        "channels": facts.channels,
        "channel": facts.channel,
        "tracks": facts.tracks,
        "default_track": facts.default_track,
        "channels_db": dict(zip(distinct_channels(facts.channels), map(amplitude_to_dbfs, facts.channel_rms), strict=True)),
        "full_scale": facts.full_scale,
        "integer_scale": integer_scale(facts.peak),
        "time_expansion": facts.time_expansion,
        "stated_expansion": _stated_expansion(facts),
        "channels_drawn": sound.channels is not None,
        "format": facts.format,
        "peak_db": amplitude_to_dbfs(facts.peak),
        "rms_db": amplitude_to_dbfs(facts.rms),
        "silent": facts.silent,
        "metadata": facts.metadata,
        "notes": note_messages(notes, language),
        "envelope": as_base64(envelope(sound.waveform, ENVELOPE_COLUMNS)),
    }


def _stated_expansion(facts: Decoded) -> float | None:
    """Return the time expansion that a file states, if it can be read so."""
    factor = float(facts.metadata.get("expansion", 1.0))
    possible = factor > 1.0 and facts.sample_rate / facts.time_expansion * factor <= SAMPLE_RATES[1]
    return factor if possible else None


def _slowed_bytes(facts: Decoded) -> int:
    """Return the most bytes that `write_slowed` writes."""
    audible = min(facts.channels, 2) if is_mean(facts.channel) else 1
    rate = copy_rate(facts.sample_rate / SLOWDOWN, low_rate=LOWEST_RATE)
    return min(MAX_SLOWED_BYTES, round(2 * audible * rate * SLOWDOWN * facts.seconds))


def slowed_copy(store: SoundStore, sound: Sound, owner: str) -> Path:
    """Return a sound's copy of `write_slowed`, which is made once; PageError("page.gone") for a dropped sound."""

    def write(path: Path) -> None:
        write_slowed_in_worker(sound.original, path, sound.name, DECODE_SECONDS, sound.facts.reading)
        sound.file_bytes += path.stat().st_size

    with sound.slowing:  # concurrent calls wait here, without a slot, and find the first one's copy
        if sound.slowed is None:
            with store.decoder.slot(owner), ExitStack() as reserved:
                with sound.resampling:  # making room may delete copies at other rates
                    reserved.enter_context(store.reserve(sound, _slowed_bytes(sound.facts)))
                sound.slowed, _ = store.companion(sound, f"slowed-{secrets.token_hex(8)}.flac", write)
        return sound.slowed
