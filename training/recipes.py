"""How to train, as frozen recipes; every number stands here and nowhere else."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from types import MappingProxyType

from esc.config import ESC50, InputConfig, SpectrogramConfig


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """What is done to the pictures of a training batch, each time anew.

    Parameters
    ----------
    mix_share : float
        Share of the clips that are mixed with another one.
    mix_alpha : float
        The mixing ratio is drawn from Beta(mix_alpha, mix_alpha).
    speed : float
        Playing speed is drawn from 1 - speed to 1 + speed.
    shift_bands : int
        Bands up or down that a picture is moved at the most.
    tilt_db : float
        Deviation of a smooth random filter's gain, in dB: another microphone, another room.
    time_masks, freq_masks : int
        Number of masks (SpecAugment).
    time_mask_share, freq_mask_share : float
        Widest mask as a share of the axis.
    """

    mix_share: float = 0.0
    mix_alpha: float = 0.3
    speed: float = 0.0
    shift_bands: int = 0
    tilt_db: float = 0.0
    time_masks: int = 0
    freq_masks: int = 0
    time_mask_share: float = 0.0
    freq_mask_share: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One way to train a network from prepared clips to the last epoch.

    Parameters
    ----------
    architecture : str
        See `esc.model.ARCHITECTURES`.
    spectrogram, input : SpectrogramConfig, InputConfig
        What the network is given; stored in the checkpoint.
    epochs, batch_size : int
    learning_rate : float
        The highest of the one-cycle schedule.
    warm_up : float
        Share of the steps in which the rate rises.
    weight_decay : float
        AdamW's, on matrices only.
    label_smoothing : float
    average : float
        Decay per step of the running average of the weights that is kept in the end.
    augmentation : Augmentation
    """

    architecture: str = "resnet18"
    spectrogram: SpectrogramConfig = ESC50
    input: InputConfig = field(default_factory=InputConfig)
    epochs: int
    batch_size: int
    learning_rate: float
    warm_up: float = 0.2
    weight_decay: float
    label_smoothing: float
    average: float
    augmentation: Augmentation

    def to_dict(self) -> dict:
        """Return the recipe as nested plain values, for JSON."""
        return asdict(self)


FIRST = Recipe(  # an hour on two cores
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
RECIPES = MappingProxyType({"first": FIRST})
