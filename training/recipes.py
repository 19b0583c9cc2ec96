"""Training recipes: every hyperparameter is defined here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from types import MappingProxyType

from esc.config import ESC50, NOTEBOOK, Config, InputConfig, SpectrogramConfig
from esc.errors import ParameterError, check_choice, check_range

CHOICES = {
    "initial_weights": ("fresh", "imagenet", "checkpoint"),
    "first_layer": ("summed", "fresh"),
    "optimizer": ("adamw", "adam"),
    "schedule": ("one-cycle", "tenfold"),
}
_ACOUSTICS = ("room_share", "noise_share", "band_share")
_SHARES = ("mix_share", "time_mask_share", "freq_mask_share", "as_it_is_share", *_ACOUSTICS)
LIMITS = dict.fromkeys(_SHARES, (0.0, 1.0)) | dict.fromkeys(("time_masks", "freq_masks"), (0, 16))
LIMITS |= {"tilt_db": (0.0, 40.0), "shift_bands": (0, 64), "mix_alpha": (0.05, 1.0), "speed": (0.0, 0.9), "recordings": (0, 64)}


class RecipeName(StrEnum):
    """Names of the recipes."""

    BEST = "best"
    FIRST = "first"
    NOTEBOOK = "notebook"
    ROBUST = "robust"


class Architecture(StrEnum):
    """Names of the networks; the same as `esc.classification.resnet.ARCHITECTURES`, without importing torch."""

    RESNET18 = "resnet18"
    RESNET34 = "resnet34"
    RESNET50 = "resnet50"


@dataclass(frozen=True, kw_only=True)
class Augmentation(Config):
    """Random changes to training clips, besides a circular shift in time."""

    mix_share: float = 0.0  # share of the clips that are mixed with another clip
    mix_alpha: float = 0.3  # the mixing ratio is drawn from Beta(mix_alpha, mix_alpha); 1 is uniform
    speed: float = 0.0  # playback speed is drawn from 1 - speed to 1 + speed
    shift_bands: int = 0  # largest shift along the frequency axis, in bands
    tilt_db: float = 0.0  # standard deviation of a smooth random filter's gain; imitates another microphone or room
    time_masks: int = 0  # number of masks (SpecAugment)
    freq_masks: int = 0
    time_mask_share: float = 0.0  # widest mask as a share of the axis
    freq_mask_share: float = 0.0
    recordings: int = 0  # distorted versions of each clip, prepared once: see `augmentation.recordings`
    as_it_is_share: float = 0.5  # share of the clips that are not replaced by one of these
    room_share: float = 0.0  # share of the clips that get reverberation: see `augmentation.acoustics`
    noise_share: float = 0.0
    band_share: float = 0.0  # share of the clips whose frequency band is limited

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            check_range(name, getattr(self, name), low, high)

    @property
    def has_acoustics(self) -> bool:
        """Whether some clips get reverberation, noise or a band limit."""
        return any(getattr(self, name) for name in _ACOUSTICS)


@dataclass(frozen=True, kw_only=True)
class Recipe(Config):
    """All hyperparameters of a training run."""

    architecture: str = Architecture.RESNET18
    initial_weights: str = "fresh"  # "fresh", "imagenet", or "checkpoint" to fine-tune one
    first_layer: str = "summed"  # first convolution of an ImageNet network: "summed" over the colour channels, or "fresh"
    spectrogram: SpectrogramConfig = ESC50  # the network's input; stored in the checkpoint
    input: InputConfig = field(default_factory=InputConfig)
    epochs: int
    batch_size: int
    unknown_batch: int = 0  # clips of a batch that are of no class and have a uniform target (outlier exposure)
    # clips per forward pass, a divisor of the batch: gradients are accumulated, running batch statistics averaged. Saves
    # memory, and is the unit by which processes share a batch
    sub_batch: int | None = None
    optimizer: str = "adamw"  # "adamw" or "adam"
    schedule: str = "one-cycle"  # "one-cycle", or "tenfold": divided by ten at the start of epochs 10, 20, 30 ...
    learning_rate: float  # maximum of the schedule
    warm_up: float = 0.2  # share of the steps in which a one-cycle rate rises
    weight_decay: float  # of matrices only
    label_smoothing: float
    ema_decay: float | None  # decay per step of the exponential moving average of the weights; None keeps the last weights
    # bfloat16 on hardware that supports it (GPUs, CPUs with AVX512-BF16 or AMX): half the time. Weights, loss, optimizer and
    # evaluation stay float32
    mixed_precision: bool = True
    dropout: float = 0.0  # dropout rate before the last layer
    drop_path: float = 0.0  # stochastic depth rate of the last residual branch; rises linearly from the first
    augmentation: Augmentation | None  # None disables augmentation

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            check_choice(name, getattr(self, name), choices)
        if self.sub_batch is not None and not (self.sub_batch >= 2 and self.batch_size % self.sub_batch == 0):
            raise ParameterError("parameter.sub_batch", value=self.sub_batch, batch=self.batch_size)
        check_range("unknown_batch", self.unknown_batch, 0, self.batch_size - 2)
        for name in ("dropout", "drop_path"):
            check_range(name, getattr(self, name), 0.0, 0.9)

    @property
    def forward_batch(self) -> int:
        """Clips per forward pass."""
        return self.sub_batch or self.batch_size

    @property
    def known_batch(self) -> int:
        """Clips of a batch that are of one of the classes."""
        return self.batch_size - self.unknown_batch

    @property
    def recordings(self) -> int:
        """Distorted versions of each clip."""
        return 0 if self.augmentation is None else self.augmentation.recordings

    @property
    def n_frames(self) -> int:
        """Frames of a clip's spectrogram."""
        return self.spectrogram.n_frames(round(self.input.clip_seconds * self.spectrogram.sample_rate))


FIRST = Recipe(  # 1 to 2 hours on two cores
    spectrogram=ESC50.replace(hop_length=1_024),
    epochs=70,
    batch_size=32,
    learning_rate=2e-3,
    weight_decay=0.05,
    label_smoothing=0.1,
    ema_decay=0.998,
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
BEST = Recipe(  # every clip is a mixture of two; fixed before fold 5 was evaluated, see NOTES.md
    epochs=200,
    batch_size=64,
    learning_rate=3e-3,
    weight_decay=0.05,
    label_smoothing=0.05,
    ema_decay=0.998,
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
NOTEBOOK_RECIPE = Recipe(  # the original notebook: 0.8025 at its best epoch on fold 5
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
    ema_decay=None,
    mixed_precision=False,
    augmentation=None,
)
ROBUST = replace(  # fine-tunes a network of `best` on distorted recordings; see NOTES.md
    BEST,
    initial_weights="checkpoint",
    epochs=46,
    unknown_batch=4,
    learning_rate=8e-4,
    warm_up=0.08,
    augmentation=Augmentation(
        mix_share=0.7,
        mix_alpha=1.0,
        speed=0.15,
        shift_bands=4,
        tilt_db=4.0,
        time_masks=2,
        freq_masks=2,
        time_mask_share=0.12,
        freq_mask_share=0.12,
        recordings=12,
        room_share=0.12,
        noise_share=0.22,
        band_share=0.18,
    ),
)
_STEPS, _MIN_BATCH = 4, 4


def fitted(recipe: Recipe, n_clips: int) -> Recipe:
    """Return a recipe whose batches fit few training clips: at least four steps an epoch.

    The learning rate falls with the square root of the batch, as for Adam (Malladi et al., 2022).
    """
    if n_clips >= _STEPS * recipe.known_batch:
        return recipe
    return _with_batch(recipe, max(_MIN_BATCH, n_clips // _STEPS // 2 * 2))


def _with_batch(recipe: Recipe, batch: int) -> Recipe:
    """Return a recipe with a smaller batch, and what depends on it."""
    share = batch / recipe.batch_size
    sub_batch = recipe.sub_batch if recipe.sub_batch and batch % recipe.sub_batch == 0 else None
    unknown = min(max(round(recipe.unknown_batch * share), 1), batch - 2) if recipe.unknown_batch else 0
    rate = recipe.learning_rate * share**0.5
    return replace(recipe, batch_size=batch, sub_batch=sub_batch, unknown_batch=unknown, learning_rate=rate)


RECIPES = MappingProxyType(
    {RecipeName.BEST: BEST, RecipeName.FIRST: FIRST, RecipeName.NOTEBOOK: NOTEBOOK_RECIPE, RecipeName.ROBUST: ROBUST}
)
FRESH_SUFFIX, TUNED_SUFFIX = "-fresh", "-tuned"
_INPUT = ("spectrogram", "input")
_VARIABLE = ("architecture", "sub_batch", "mixed_precision")  # these may differ without making it another recipe


def recipe_name(values: dict) -> str | None:
    """Return the name of the recipe with these values (`Recipe.to_dict`); None for any other.

    ImageNet recipes run from fresh weights are another experiment and get the suffix "-fresh". Options that are newer than
    the values have their defaults, options that are gone do not count. A recipe that fine-tunes a checkpoint has the
    checkpoint's input and gets the suffix "-tuned". Batches may have been fitted to few clips.
    """
    augmentation, batch = values.get("augmentation"), values.get("batch_size", 0)
    known = _fields_of(Recipe, values) | {"augmentation": augmentation and _fields_of(Augmentation, augmentation)}
    for name, recipe in RECIPES.items():
        for suffix, begins in (("", recipe.initial_weights), (FRESH_SUFFIX, "fresh"), (TUNED_SUFFIX, "checkpoint")):
            candidate = replace(recipe, initial_weights=begins)
            if _MIN_BATCH <= batch < recipe.batch_size:
                candidate = _with_batch(candidate, batch)
            plain, variable = candidate.to_dict(), (*_VARIABLE, *(_INPUT if suffix == TUNED_SUFFIX else ()))
            if all(plain[key] == known[key] for key in plain if key not in variable):
                return f"{name}{suffix}"
    return None


def _fields_of(config: type[Config], values: dict) -> dict:
    return {one.name: values.get(one.name, one.default) for one in fields(config)}
