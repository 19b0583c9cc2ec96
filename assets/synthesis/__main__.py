"""Synthesis of the example sounds: PYTHONPATH=assets python -m synthesis [--out FOLDER]."""

import argparse
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile as sf

from synthesis import animals, machines, nature
from synthesis.blocks import SAMPLE_RATE, finish

SEED = 50
DEFAULT_FOLDER = Path(__file__).resolve().parents[1] / "examples"


# What is synthesised, by the ESC-50 class that it is meant as; the file has the same name.
EXAMPLES: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    synthesise.__name__: synthesise
    for synthesise in (
        nature.rain, nature.sea_waves, nature.wind, nature.thunderstorm, nature.crackling_fire, nature.water_drops,
        animals.crickets, animals.chirping_birds, animals.crow, machines.church_bells, machines.siren, machines.helicopter,
        machines.clock_tick, machines.clock_alarm, machines.door_wood_knock, machines.keyboard_typing,
    )
}  # fmt: skip


def waveform_of(name: str) -> np.ndarray:
    """Return the finished waveform of an example.

    The generator is seeded by the file's name: adding an example leaves the others as they are.
    """
    rng = np.random.default_rng([SEED, zlib.crc32(f"{name}.flac".encode())])
    return finish(EXAMPLES[name](rng))


def write_examples(folder: Path) -> list[Path]:
    """Write every example as 16-bit FLAC and return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name in EXAMPLES:
        paths.append(folder / f"{name}.flac")
        sf.write(paths[-1], waveform_of(name), SAMPLE_RATE, subtype="PCM_16", format="FLAC")
    return paths


def main() -> None:
    """Write the files that the command line asks for."""
    parser = argparse.ArgumentParser(description="Synthesise the example sounds.")
    parser.add_argument("--out", type=Path, default=DEFAULT_FOLDER, metavar="FOLDER", help="default: %(default)s")
    for path in write_examples(parser.parse_args().out):
        print(f"{path.name}  {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
