"""Share of the bare model step in a whole training step, on one device.

A whole step is `training.engine.step.take_epoch` as in a run (augmentation, forward, backward, update, weight average). The
bare step is forward, backward and update of the same network on one batch. The clips are noise. Both alternate, so that
other work on the machine slows them equally; results are medians over the rounds. On a CPU the ratio of processor times is
given as well: it depends less on other work.

A step from sounds also decodes the files of its batch and computes their spectrograms, as the first epoch of a run without a
cache does; the files are FLAC, at the recipe's sample rate.

    python -m benchmarks.training_step [--rounds 7] [--steps 6] [--json]
"""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch.nn.functional import cross_entropy

from benchmarks.harness import Row, run
from esc.classification.resnet import build_model
from training.data.preprocessing import Prepared, clip_spectrogram, map_files
from training.engine.batches import Clips, on_device
from training.engine.devices import best_device, device_name, dtype_name
from training.engine.state import State, new_state
from training.engine.step import take_epoch
from training.recipes import FIRST, Recipe

GOAL, GOAL_SOUNDS = 0.95, 0.8
N_CLASSES = 50


def noise(recipe: Recipe, n_clips: int) -> Prepared:
    """Return clips of noise."""
    rng = np.random.default_rng(0)
    return Prepared(
        targets=rng.integers(0, N_CLASSES, n_clips),
        folds=np.ones(n_clips, np.int64),
        names=tuple(map(str, range(n_clips))),
        class_names=tuple(map(str, range(N_CLASSES))),
        spectrograms_db=rng.uniform(-80, 0, (n_clips, recipe.spectrogram.n_mels, recipe.n_frames)).astype(np.float32),
    )


def state_of(recipe: Recipe, device: torch.device) -> State:
    """Return the initial state of a run."""
    torch.manual_seed(0)
    return new_state(recipe, build_model(recipe.architecture, N_CLASSES), N_CLASSES, recipe.batch_size, device)


def bare(recipe: Recipe, steps: int, device: torch.device) -> Callable[[], None]:
    """Return a function for `steps` bare steps on one batch."""
    state = state_of(dataclasses.replace(recipe, ema_decay=None), device)
    config = recipe.spectrogram
    shape = (recipe.batch_size, 1, config.n_mels, config.n_frames(round(recipe.input.clip_seconds * config.sample_rate)))
    batch = torch.randn(shape, device=device).to(memory_format=torch.channels_last)
    soft = torch.full((recipe.batch_size, N_CLASSES), 1 / N_CLASSES, device=device)

    def take() -> None:
        state.model.train()
        for _ in range(steps):
            state.optimizer.zero_grad(set_to_none=True)
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=state.precision == torch.bfloat16):
                answer = state.model(batch)
            cross_entropy(answer.float(), soft).backward()
            state.optimizer.step()

    return take


def whole(recipe: Recipe, steps: int, device: torch.device) -> Callable[[], None]:
    """Return a function for an epoch of `steps` whole steps."""
    state = state_of(dataclasses.replace(recipe, epochs=10_000), device)
    clips: Clips = on_device(noise(recipe, steps * recipe.batch_size), (1,), device)

    def take() -> None:
        take_epoch(state, clips, recipe, 0, N_CLASSES, lambda *_: None)

    return take


def from_sounds(recipe: Recipe, steps: int, folder: Path) -> Callable[[], None]:
    """Return a function that decodes the sounds of `steps` steps and computes their spectrograms."""
    rng, rate = np.random.default_rng(0), recipe.spectrogram.sample_rate
    files = [folder / f"{number}.flac" for number in range(steps * recipe.batch_size)]
    for file in files:
        soundfile.write(file, 0.1 * rng.standard_normal(round(recipe.input.clip_seconds * rate)), rate)
    tasks = [(file, recipe.spectrogram, recipe.input) for file in files]

    def take() -> None:
        for _ in map_files(clip_spectrogram, tasks):
            pass

    return take


def seconds(work: Callable[[], None], device: torch.device) -> tuple[float, float]:
    """Return wall time and processor time, including queued work of a GPU."""
    begun, begun_cpu = time.perf_counter(), time.process_time()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begun, time.process_time() - begun_cpu


def measure(rounds: int, steps: int) -> dict:
    """Return clips per second of each kind of step, and ratios to the bare one."""
    device = best_device()
    with tempfile.TemporaryDirectory() as folder:
        kinds = {
            "bare": bare(FIRST, steps, device),
            "whole": whole(FIRST, steps, device),
            "sounds": from_sounds(FIRST, steps, Path(folder)),
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in kinds}
        for number in range(rounds + 1):
            for name, work in kinds.items():
                times = seconds(work, device)
                if number:  # the first round warms up
                    taken[name].append(times)
    walls, processors = ({name: np.array(times)[:, clock] for name, times in taken.items()} for clock in (0, 1))
    return {
        "clips_per_second": {name: steps * FIRST.batch_size / float(np.median(times)) for name, times in walls.items()},
        "ratio_to_bare": _ratio(walls),
        "ratio_from_sounds": float(np.median(walls["bare"] / (walls["whole"] + walls["sounds"]))),
        "ratio_of_processor_time": _ratio(processors) if device.type == "cpu" else None,
        "batch_size": FIRST.batch_size,
        "device": device_name(device),
        "precision": dtype_name(state_of(FIRST, device).precision),
    }


def _ratio(times: dict[str, np.ndarray]) -> float:
    return float(np.median(times["bare"] / times["whole"]))


def rows(result: dict) -> list[Row]:
    """Return the whole step as a share of the bare one."""
    clips = {name: f"{figure:.1f}" for name, figure in result["clips_per_second"].items()}
    whole, sounds = (f"{clips[name]} clips/s, {clips['bare']}" for name in ("whole", "sounds"))
    return [
        Row("training step from spectrograms", "the bare step", result["ratio_to_bare"], GOAL, detail=whole),
        Row(
            "training step from sounds, decoded in it",
            "the bare step",
            result["ratio_from_sounds"],
            GOAL_SOUNDS,
            detail=f"decoding alone {sounds}",
        ),
    ]


def main(given: list[str] | None = None) -> list[Row]:
    """Measure and print."""
    return run(__doc__, measure, rows, given, rounds=(7, "rounds of both kinds"), steps=(6, "steps of each kind in a round"))


if __name__ == "__main__":
    main()
