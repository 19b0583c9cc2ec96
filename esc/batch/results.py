"""Result of classifying one sound file."""

from __future__ import annotations

from dataclasses import dataclass

from esc.audio.channels import MEAN
from esc.classification.predictions import SILENCE, UNKNOWN
from esc.classification.timeline.event_summary import UncertainInterval, totals
from esc.classification.timeline.segments import Segment
from esc.errors import AudioError


@dataclass(frozen=True, kw_only=True)
class SoundResult:
    """Classification of one sound."""

    file: str  # name of the sound; a path on the command line
    seconds: float  # length of the whole sound
    sample_rate: int  # Hz, of the file, times `time_expansion`
    clip_seconds: float  # length of the clip or interval of `top` and `verdict`, within the sound, see `Classifier.first_clip`
    top: tuple[tuple[str, float], ...]  # as `Prediction.top`
    verdict: str  # as `Prediction.verdict`
    timeline: tuple[Segment, ...] | None = None  # None if not requested
    silences: tuple[tuple[float, float], ...] = ()  # (start, end) in seconds, see `event_summary.silent_intervals`
    uncertain: tuple[UncertainInterval, ...] = ()  # see `event_summary.uncertain_intervals`
    clip_start_s: float = 0.0  # above 0 only if the sound begins with silence, or of an interval
    interval: tuple[float, float] | None = None  # (start, end) in seconds, if one was to be classified
    notes: tuple[str, ...] = ()  # as `AudioFacts.notes`
    channel: str = MEAN  # the one classified, see `esc.audio.channels`
    time_expansion: float = 1.0  # what the file's times were divided by; all times here are after it

    @property
    def events(self) -> tuple[Segment, ...]:
        """The timeline or, without one, the verdict on the clip as a segment."""
        if self.timeline is not None:
            return self.timeline
        label, probability = self._clip_verdict
        return (Segment(label, self.clip_start_s, self.clip_start_s + self.clip_seconds, probability),)

    @property
    def overall(self) -> tuple[str, float] | None:
        """The class with the longest total duration and its mean probability, if any.

        Without segments, the verdict on more than half of the sound, silence or unknown.

        Without a timeline, or for sounds no longer than a clip, the verdict on the clip.
        """
        if self.timeline is None or self.seconds <= self.clip_seconds:
            return self._clip_verdict
        if self.timeline:
            longest = totals(self.timeline)[0]
            return longest.label, longest.probability
        unknown = [(one.start_s, one.end_s) for one in self.uncertain if one.verdict == UNKNOWN]
        for verdict, parts in ((SILENCE, self.silences), (UNKNOWN, unknown)):
            if sum(end_s - start_s for start_s, end_s in parts) > self.seconds / 2:
                return verdict, 1.0
        return None

    @property
    def _clip_verdict(self) -> tuple[str, float]:
        return self.verdict, dict(self.top).get(self.verdict, 1.0)  # other verdicts than classes have no probability

    @property
    def guess(self) -> str | None:
        """The likeliest class where the verdict on the clip is none, except for silence."""
        return self.top[0][0] if self.top and self.verdict != self.top[0][0] else None


FileResult = SoundResult | AudioError
