"""Write the example sounds: computed from models of their sources, without any recording.

PYTHONPATH=assets python -m synthesis [--out FOLDER]
"""

import argparse
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile as sf

from synthesis import animals, machines, nature
from synthesis.blocks import SAMPLE_RATE, finish

SEED = 50
DEFAULT_FOLDER = Path(__file__).resolve().parents[1] / "examples"


class Example(NamedTuple):
    """One example: its file, the ESC-50 class it is meant as, and the function that makes it."""

    file_name: str
    class_name: str
    synthesise: Callable[[np.random.Generator], np.ndarray]


EXAMPLES: tuple[Example, ...] = (
    Example("rain.flac", "rain", nature.rain),
    Example("sea_waves.flac", "sea_waves", nature.sea_waves),
    Example("wind.flac", "wind", nature.wind),
    Example("thunderstorm.flac", "thunderstorm", nature.thunderstorm),
    Example("crackling_fire.flac", "crackling_fire", nature.crackling_fire),
    Example("water_drops.flac", "water_drops", nature.water_drops),
    Example("crickets.flac", "crickets", animals.crickets),
    Example("chirping_birds.flac", "chirping_birds", animals.chirping_birds),
    Example("crow.flac", "crow", animals.crow),
    Example("church_bells.flac", "church_bells", machines.church_bells),
    Example("siren.flac", "siren", machines.siren),
    Example("helicopter.flac", "helicopter", machines.helicopter),
    Example("clock_tick.flac", "clock_tick", machines.clock_tick),
    Example("clock_alarm.flac", "clock_alarm", machines.clock_alarm),
    Example("door_wood_knock.flac", "door_wood_knock", machines.door_wood_knock),
    Example("keyboard_typing.flac", "keyboard_typing", machines.keyboard_typing),
)


def waveform_of(example: Example) -> np.ndarray:
    """Return the finished waveform of an example, the same on every call.

    The generator is seeded by the file name, so a sound keeps its shape when others come or go.
    """
    rng = np.random.default_rng([SEED, zlib.crc32(example.file_name.encode())])
    return finish(example.synthesise(rng))


def write_examples(folder: Path) -> list[Path]:
    """Write every example as 16-bit FLAC and return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for example in EXAMPLES:
        path = folder / example.file_name
        sf.write(path, waveform_of(example), SAMPLE_RATE, subtype="PCM_16", format="FLAC")
        paths.append(path)
    return paths


def main() -> None:
    """Read the command line, write the files and name them."""
    parser = argparse.ArgumentParser(description="Synthesise the example sounds.")
    parser.add_argument("--out", type=Path, default=DEFAULT_FOLDER, metavar="FOLDER", help="default: %(default)s")
    for path in write_examples(parser.parse_args().out):
        print(f"{path.name}  {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
