"""Requests for exports of a view."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from esc.dsp.frames import MAX_COLUMNS
from esc.errors import PageError
from esc.features import FEATURES, SPECTROGRAMS
from esc.ui.server.requests import Cepstrum, Config, Hz, IntervalRequest, Source, one_of

PITCHED = ("mel", "stft")  # views that features are drawn over
_Below = Annotated[float, Field(ge=-400.0, le=400.0)]  # dB
_Angle = Annotated[float, Field(ge=-360.0, le=360.0)]  # degrees


class FigureRequest(BaseModel):
    """Size and display of a figure."""

    model_config = ConfigDict(frozen=True, strict=True)
    width_cm: Annotated[float, Field(ge=4.0, le=42.0)] = 17.0
    height_cm: Annotated[float, Field(ge=3.0, le=42.0)] = 9.0
    dpi: Annotated[int, Field(ge=72, le=600)] = 300
    colours: Literal["magma", "viridis", "inferno", "plasma", "cividis", "gray", "gray_r"] = "magma"
    low: _Below | None = None  # the darkest and the brightest level, relative to the view's maximum
    high: _Below | None = None
    axis: Literal["linear", "mel", "log", "bark"] = "linear"
    low_hz: Hz | None = None  # the visible frequencies
    high_hz: Hz | None = None
    elevation: _Angle = 38.0  # of a surface's camera
    azimuth: _Angle = -62.0

    @property
    def columns(self) -> int:
        """Number of columns that the figure can show."""
        return min(MAX_COLUMNS, max(100, round(self.width_cm / 2.54 * self.dpi)))

    @property
    def freq_range(self) -> tuple[float, float] | None:
        """The visible frequencies, or None for all."""
        if self.low_hz is None or self.high_hz is None or self.low_hz >= self.high_hz:
            return None
        return self.low_hz, self.high_hz


class ExportRequest(IntervalRequest):
    """A request for a view as a file or as text."""

    format: Literal["png", "svg", "csv", "npy", "npz", "features_csv", "code", "ipynb"]
    view: Literal["wave", "stft", "mel", "mfcc", "surface"]
    config: Config | None = None  # None: of a waveform
    cepstrum: Cepstrum | None = None
    of: Source = "mel"  # of a surface
    features: Annotated[list[Annotated[str, one_of(FEATURES)]], Field(default_factory=list, max_length=len(FEATURES))]
    figure: FigureRequest = FigureRequest()

    def model_post_init(self, context: object) -> None:
        """Check what goes together."""
        super().model_post_init(context)
        if self.config is None and self.view != "wave":
            raise PageError("page.request", reason="config")
        if self.features and self.view not in PITCHED:
            raise PageError("page.request", reason=f"features, view = {self.view}")
        if self.format == "features_csv" and not self.contours:
            raise PageError("page.request", reason="features")

    @property
    def contours(self) -> list[str]:
        """The features that are drawn over the view."""
        return [feature for feature in self.features if feature not in SPECTROGRAMS]

    @property
    def variant(self) -> str | None:
        """The feature in the spectrogram's place."""
        return next((feature for feature in self.features if feature in SPECTROGRAMS), None)

    @property
    def source(self) -> Literal["mel", "stft"]:
        """The spectrogram that the view shows."""
        return "stft" if self.view == "stft" or (self.view == "surface" and self.of == "stft") else "mel"
