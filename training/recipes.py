"""How to train, as frozen recipes; every number stands here and nowhere else."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from types import MappingProxyType

from esc.config import ESC50, NOTEBOOK, InputConfig, SpectrogramConfig
from esc.errors import ParameterError

CHOICES = MappingProxyType(
    {
        "initial_weights": ("fresh", "imagenet"),
        "first_layer": ("summed", "fresh"),
        "optimizer": ("adamw", "adam"),
        "schedule": ("one-cycle", "tenfold"),
        "source": ("pictures", "sounds"),
    }
)
LIMITS = MappingProxyType(
    {
        "mix_share": (0.0, 1.0),
        "mix_alpha": (0.05, 1.0),
        "speed": (0.0, 0.9),
        "least_stretch": (0.1, 1.0),
        "gain_db": (0.0, 40.0),
        "shift_bands": (0, 64),
        "tilt_db": (0.0, 40.0),
        "time_masks": (0, 16),
        "freq_masks": (0, 16),
        "time_mask_share": (0.0, 1.0),
        "freq_mask_share": (0.0, 1.0),
        "boxes": (0, 16),
        "box_share": (0.0, 1.0),
    }
)


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """What is done to the clips of a training batch, each time anew, beside a circular shift in time.

    Parameters
    ----------
    mix_share : float
        Share of the clips that are mixed with another one.
    mix_alpha : float
        The mixing ratio is drawn from Beta(mix_alpha, mix_alpha); 1 makes all ratios equally likely.
    speed : float
        Playing speed is drawn from 1 - speed to 1 + speed.
    least_stretch : float
        Of a clip a part is played, over and over: at least this share of it; 1 plays it whole.
    gain_db : float
        Gain is drawn from -gain_db to gain_db after mixing; of sounds only, and felt where the input's scaling keeps levels.
    shift_bands : int
        Bands up or down that a picture is moved at the most.
    tilt_db : float
        Deviation of a smooth random filter's gain, in dB: another microphone, another room.
    time_masks, freq_masks : int
        Number of masks (SpecAugment).
    time_mask_share, freq_mask_share : float
        Widest mask as a share of the axis.
    boxes : int
        Number of rectangles hidden (random erasing, Zhong et al., 2020).
    box_share : float
        Longest side of a rectangle as a share of its axis.
    """

    mix_share: float = 0.0
    mix_alpha: float = 0.3
    speed: float = 0.0
    least_stretch: float = 1.0
    gain_db: float = 0.0
    shift_bands: int = 0
    tilt_db: float = 0.0
    time_masks: int = 0
    freq_masks: int = 0
    time_mask_share: float = 0.0
    freq_mask_share: float = 0.0
    boxes: int = 0
    box_share: float = 0.0

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            if not low <= getattr(self, name) <= high:
                raise ParameterError("parameter.range", field=name, value=getattr(self, name), low=low, high=high)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One way to train a network from prepared clips to the last epoch.

    Parameters
    ----------
    architecture : str
        See `esc.classification.resnet.ARCHITECTURES`.
    initial_weights : str
        "fresh", or "imagenet" where they can be had.
    first_layer : str
        What becomes of ImageNet's first layer: "summed" over the colours, or "fresh".
    spectrogram, input : SpectrogramConfig, InputConfig
        What the network is given; stored in the checkpoint.
    source : str
        What is kept in memory and augmented: "pictures" in dB, made once, or "sounds", whose pictures are made anew for
        every batch.
    epochs, batch_size : int
    sub_batch : int, optional
        Clips that go through the network at once, a divisor of the batch; their gradients are added up to the batch's.
        Saves memory, and several processes share a batch by its sub-batches. Batch statistics are a sub-batch's own, the
        running ones their mean. The whole batch where left out.
    optimizer : str
        "adamw" or "adam".
    schedule : str
        "one-cycle", or "tenfold": divided by ten at the start of epochs 10, 20, 30 ...
    learning_rate : float
        The highest of the schedule.
    warm_up : float
        Share of the steps in which a one-cycle rate rises.
    weight_decay : float
        On matrices only.
    label_smoothing : float
    average : float, optional
        Decay per step of the running average of the weights that is kept in the end; None keeps the last weights.
    mixed_precision : bool
        Compute the network in bfloat16 where the hardware has it: GPUs, and CPUs with AVX512-BF16 or AMX (half the time
        there, and eight times as long on those without). Weights, loss, optimizer and every evaluation stay float32.
    dropout : float
        Share of the features that are silenced before the last layer.
    drop_path : float
        Share of the clips for which the last residual branch is left out, rising to it from the first (stochastic depth).
    augmentation : Augmentation, optional
        None shows every picture as it is.
    """

    architecture: str = "resnet18"
    initial_weights: str = "fresh"
    first_layer: str = "summed"
    spectrogram: SpectrogramConfig = ESC50
    input: InputConfig = field(default_factory=InputConfig)
    source: str = "pictures"
    epochs: int
    batch_size: int
    sub_batch: int | None = None
    optimizer: str = "adamw"
    schedule: str = "one-cycle"
    learning_rate: float
    warm_up: float = 0.2
    weight_decay: float
    label_smoothing: float
    average: float | None
    mixed_precision: bool = True
    dropout: float = 0.0
    drop_path: float = 0.0
    augmentation: Augmentation | None

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ParameterError("parameter.choice", field=name, value=getattr(self, name), choices=", ".join(choices))
        if self.sub_batch is not None and not (self.sub_batch >= 2 and self.batch_size % self.sub_batch == 0):
            raise ParameterError("parameter.sub_batch", value=self.sub_batch, batch=self.batch_size)
        for name in ("dropout", "drop_path"):
            if not 0.0 <= getattr(self, name) <= 0.9:
                raise ParameterError("parameter.range", field=name, value=getattr(self, name), low=0.0, high=0.9)

    @property
    def at_once(self) -> int:
        """Clips that go through the network at once."""
        return self.sub_batch or self.batch_size

    @property
    def n_frames(self) -> int:
        """Frames of a clip's picture."""
        return self.spectrogram.n_frames(round(self.input.clip_seconds * self.spectrogram.sample_rate))

    def to_dict(self) -> dict:
        """Return the recipe as nested plain values, for JSON."""
        return asdict(self)


FIRST = Recipe(  # one to two hours on two cores
    spectrogram=ESC50.replace(hop_length=1_024),
    epochs=70,
    batch_size=32,
    learning_rate=2e-3,
    weight_decay=0.05,
    label_smoothing=0.1,
    average=0.998,
    augmentation=Augmentation(
        mix_share=0.6,
        mix_alpha=0.4,
        speed=0.12,
        shift_bands=4,
        tilt_db=3.0,
        time_masks=2,
        freq_masks=2,
        time_mask_share=0.12,
        freq_mask_share=0.12,
    ),
)
BEST = Recipe(  # every clip is two sounds at any ratio; fixed before fold 5 was read, see NOTES.md
    epochs=200,
    batch_size=64,
    learning_rate=3e-3,
    weight_decay=0.05,
    label_smoothing=0.05,
    average=0.998,
    dropout=0.2,
    drop_path=0.1,
    augmentation=Augmentation(
        mix_share=1.0,
        mix_alpha=1.0,
        speed=0.2,
        shift_bands=6,
        tilt_db=4.0,
        time_masks=2,
        freq_masks=2,
        time_mask_share=0.15,
        freq_mask_share=0.15,
    ),
)
NOTEBOOK_RECIPE = Recipe(  # the notebook that this project comes from, step by step; 0.8025 at its best epoch on fold 5
    initial_weights="imagenet",
    first_layer="fresh",
    spectrogram=NOTEBOOK,
    input=InputConfig(scaling="notebook"),
    epochs=50,
    batch_size=16,
    optimizer="adam",
    schedule="tenfold",
    learning_rate=2e-4,
    weight_decay=0.0,
    label_smoothing=0.0,
    average=None,
    mixed_precision=False,
    augmentation=None,
)
RECIPES = MappingProxyType({"best": BEST, "first": FIRST, "notebook": NOTEBOOK_RECIPE})
_ITS_OWN = ("architecture", "sub_batch", "mixed_precision")  # a run may differ in these and is of the recipe still


def recipe_name(values: dict) -> str | None:
    """Return the name of the recipe that a run was made by, given as `Recipe.to_dict` has it; None where it is none of them."""
    for name, recipe in RECIPES.items():
        plain = json.loads(json.dumps(recipe.to_dict()))
        if all(plain[key] == values.get(key) for key in plain if key not in _ITS_OWN):
            return name
    return None
