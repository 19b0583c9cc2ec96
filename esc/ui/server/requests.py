"""Checked requests of the browser modules, as pydantic models.

A handler declares its request by the type of its argument. Nothing is converted but whole numbers to floats; unknown fields
are ignored, so that an older page still works. Configs keep their own checks: pydantic's are faster (23 instead of 76 us), but
name one bound of a range, in English only, and can't offer a value that would be possible.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeVar, get_type_hints

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, ValidationError

from esc.audio.channels import MEAN, check_channel
from esc.audio.io import FULL_SCALES, TIME_EXPANSIONS
from esc.config import SAMPLE_RATES, SpectrogramConfig
from esc.dsp.frames import MAX_COLUMNS
from esc.dsp.mfcc import CepstrumConfig
from esc.dsp.tiles import Tile
from esc.errors import PageError
from esc.features import FEATURES
from esc.ui.server.parameters import config_from_page
from esc.views.surface_view import MAX_FINE_ROWS, MAX_ROWS, Grid

MAX_RUN = 2**53  # the browser's largest whole number
Value = TypeVar("Value")


def one_of(choices: Collection[Any]) -> AfterValidator:
    """Return a check for one of the choices, for types that `Literal` can't hold."""

    def check(value: Value) -> Value:
        if value not in choices:
            raise ValueError(", ".join(map(str, choices)))
        return value

    return AfterValidator(check)


def _object(make: Callable[[dict], Any]) -> PlainValidator:
    """Return a check for a JSON object; `make` raises ParameterErrors that name the field."""

    def check(values: object) -> object:
        if not isinstance(values, dict):
            raise ValueError("{}")
        return make(values)

    return PlainValidator(check)


Seconds = Annotated[float, Field(ge=0.0, le=1e6)]
Hz = Annotated[float, Field(ge=0.0, le=1e6)]
Offset = Annotated[float, Field(ge=-1e6, le=1e6)]  # seconds
RunNumber = Annotated[int, Field(ge=0, le=MAX_RUN)]  # by which the page counts a tab's runs
Config = Annotated[SpectrogramConfig, _object(config_from_page)]
Cepstrum = Annotated[CepstrumConfig, _object(CepstrumConfig.from_dict)]
Source = Literal["mel", "stft"]
Channel = Annotated[str, PlainValidator(check_channel)]


class PageRequest(BaseModel):
    """A request under the token of a session."""

    model_config = ConfigDict(frozen=True, strict=True)
    token: str


class SoundRequest(PageRequest):
    """A request about an open sound."""

    sound: str


class IntervalRequest(SoundRequest):
    """A request about an interval of a sound, in seconds."""

    start: Seconds
    end: Seconds

    def model_post_init(self, context: object) -> None:
        """Check the order of the times."""
        if self.end < self.start:
            raise PageError("page.request", reason=f"end = {self.end}, ≥ {self.start}")


class PartRequest(SoundRequest):
    """A request about an interval of a sound, or without times about its first clip."""

    start: Seconds | None = None
    end: Seconds | None = None

    def model_post_init(self, context: object) -> None:
        """Check that there are both times, in order."""
        if (self.start is None) != (self.end is None) or (self.end or 0.0) < (self.start or 0.0):
            raise PageError("page.request", reason=f"start = {self.start}, end = {self.end}")

    @property
    def interval(self) -> tuple[float, float] | None:
        """Start and end in seconds."""
        return None if self.start is None or self.end is None else (self.start, self.end)


class TileRequest(IntervalRequest):
    """A request for what a screen shows of a sound."""

    columns: Annotated[int, Field(ge=1, le=MAX_COLUMNS)]

    @property
    def tile(self) -> Tile:
        """The visible part."""
        return Tile(self.start, self.end, self.columns)


class ViewRequest(TileRequest):
    """A request for a view of a spectrogram."""

    config: Config


class MfccRequest(ViewRequest):
    """A request for the coefficients' view."""

    cepstrum: Cepstrum


class SurfaceRequest(ViewRequest):
    """A request for a surface, pooled from a view."""

    of: Source = "mel"
    rows: Annotated[int, Field(ge=1, le=MAX_FINE_ROWS)] = MAX_ROWS
    low_hz: Hz | None = None  # of the rows; all without both
    high_hz: Hz | None = None

    @property
    def grid(self) -> Grid:
        """Return the rows asked for."""
        band = None if self.low_hz is None or self.high_hz is None else (self.low_hz, self.high_hz)
        return Grid(self.rows, band)


class LevelRequest(SoundRequest):
    """A request for one value of a view, at a band, coefficient or frequency."""

    config: Config
    view: Literal["mel", "stft", "mfcc"] = "mel"
    time: Seconds
    band: Annotated[float, Field(ge=0.0)] | None = None
    hz: Hz | None = None
    cepstrum: Cepstrum | None = None

    def model_post_init(self, context: object) -> None:
        """Check that coefficients come with their shaping."""
        if self.view == "mfcc" and self.cepstrum is None:
            raise PageError("page.request", reason="cepstrum")

    @property
    def row(self) -> float:
        """The checked row of the view."""
        name, row = ("hz", self.hz) if self.view == "stft" else ("band", self.band)
        n_rows = {"mel": self.config.n_mels, "mfcc": self.config.n_mfcc}.get(self.view)
        if row is None or (n_rows and row > n_rows - 1):
            raise PageError("page.request", reason=f"{name} = {row}")
        return row


class BoxRequest(IntervalRequest):
    """A request about a selection; None stands for all frequencies."""

    low_hz: Hz | None = None
    high_hz: Hz | None = None

    def model_post_init(self, context: object) -> None:
        """Check that frequencies come in pairs."""
        super().model_post_init(context)
        if (self.low_hz is None) != (self.high_hz is None):
            raise PageError("page.request", reason=f"low_hz = {self.low_hz}, high_hz = {self.high_hz}")


class MeasureRequest(BoxRequest):
    """A request for the measurements of a selection."""

    config: Config


class SpectrumRequest(MeasureRequest):
    """A request for the mean spectrum of a selection."""

    view: Source


class FeatureRequest(ViewRequest):
    """A request for a feature over a view."""

    view: Source
    feature: Annotated[str, one_of(FEATURES)]


class CompareRequest(MfccRequest):
    """A request for two sounds on the first one's axes, and their difference."""

    view: Literal["mel", "stft", "mfcc"]
    other: str
    other_config: Config
    other_cepstrum: Cepstrum
    offset: Offset
    range_db: Annotated[float, Field(ge=1.0, le=160.0)]


class AlignRequest(SoundRequest):
    """A request for the offset at which two sounds are most alike."""

    other: str
    sample_rate: Annotated[int, Field(ge=SAMPLE_RATES[0], le=SAMPLE_RATES[1])]


class JobRequest(PageRequest):
    """A request about a feature's job."""

    job: str


class UploadRequest(PageRequest):
    """A request with an upload: its path and the user's name for it."""

    path: str
    name: str


class WaveRequest(TileRequest):
    """A request for the waveform, with `channels` of each channel, too."""

    channels: bool = False


class OpenRequest(PageRequest):
    """A request to open an upload, example, batch file or another channel."""

    channel: Channel = MEAN
    full_scale: Annotated[float, Field(ge=FULL_SCALES[0], le=FULL_SCALES[1])] | None = None
    time_expansion: Annotated[float, Field(ge=TIME_EXPANSIONS[0], le=TIME_EXPANSIONS[1])] | None = None
    sound: str | None = None
    path: str | None = None
    name: str | None = None
    example: str | None = None
    uploaded: str | None = None


def checked(handler: Callable[..., Any], request: dict) -> Any:
    """Return a request as the model that a handler declares.

    Raises
    ------
    PageError
        "page.request" with the field, its value and what is legal.
    ParameterError
        A parameter of the config is not possible.
    """
    try:
        return _model(getattr(handler, "__func__", handler)).model_validate(request)
    except ValidationError as error:
        raise PageError("page.request", reason=_reason(error)) from None


@lru_cache(maxsize=128)
def _model(handler: Callable[..., Any]) -> type[PageRequest]:
    return get_type_hints(handler, include_extras=True)["request"]


def _reason(error: ValidationError) -> str:
    """Return the first wrong field with its value and what is legal, in no language."""
    first = error.errors(include_url=False)[0]
    field, context = ".".join(map(str, first["loc"])), first.get("ctx", {})
    if first["type"] == "missing":
        return field
    bounds = (f"{sign} {context[name]:g}" for name, sign in (("ge", "≥"), ("le", "≤")) if name in context)
    legal = next(bounds, str(context.get("error") or context.get("expected") or first["type"].partition("_")[0]))
    return f"{field} = {str(first['input'])[:60]}, {legal}"
