"""How much of a training run's time goes to the network itself: whole steps against the bare model step, on one device.

Whole steps are `training.engine.step.take_epoch` as a run takes it (drawing, augmentation, forward, backward, update, weight
average), once from dB pictures in memory and once from sounds, whose mel spectrograms are made for every batch. The bare
step is forward, backward and update of the same network on one batch that is there already. The clips are noise. All
three take turns, so that whatever else the machine does slows them alike; figures are medians over the rounds. On a CPU
the ratio of processor times stands beside that of wall clocks: other work on the machine touches it less.

    python -m benchmarks.training_step [--rounds 7] [--steps 6] [--short] [--json]
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import time
from collections.abc import Callable

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from esc.classification.resnet import build_model
from training.data.preprocessing import Prepared
from training.engine.batches import Clips, on_device
from training.engine.devices import best_device, device_name, dtype_name
from training.engine.state import State, new_state
from training.engine.step import take_epoch
from training.recipes import FIRST, Recipe

GOAL = 0.9
N_CLASSES = 50


def noise(recipe: Recipe, n_clips: int) -> Prepared:
    """Return clips of noise, as pictures or as sounds."""
    rng = np.random.default_rng(0)
    n_samples = round(recipe.input.clip_seconds * recipe.spectrogram.sample_rate)
    targets = rng.integers(0, N_CLASSES, n_clips)
    about = {
        "targets": targets,
        "folds": np.ones(n_clips, np.int64),
        "names": tuple(map(str, range(n_clips))),
        "class_names": tuple(map(str, range(N_CLASSES))),
    }
    if recipe.source == "waveforms":
        waveforms = rng.integers(-32_767, 32_768, (n_clips, n_samples), dtype=np.int16)
        return Prepared(**about, waveforms=waveforms, scales=np.full(n_clips, 1e-5, np.float32))
    shape = (n_clips, recipe.spectrogram.n_mels, recipe.spectrogram.n_frames(n_samples))
    return Prepared(**about, spectrograms_db=rng.uniform(-80, 0, shape).astype(np.float32))


def state_of(recipe: Recipe, device: torch.device) -> State:
    """Return a fresh network with all that a run has."""
    torch.manual_seed(0)
    return new_state(recipe, build_model(recipe.architecture, N_CLASSES), N_CLASSES, recipe.batch_size, device)


def bare(recipe: Recipe, steps: int, device: torch.device) -> Callable[[], None]:
    """Return what takes `steps` bare steps on one batch."""
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
    """Return what takes an epoch of `steps` whole steps."""
    state = state_of(dataclasses.replace(recipe, epochs=10_000), device)
    clips: Clips = on_device(noise(recipe, steps * recipe.batch_size), (1,), device)

    def take() -> None:
        take_epoch(state, clips, recipe, 0, N_CLASSES, lambda *_: None)

    return take


def seconds(work: Callable[[], None], device: torch.device) -> tuple[float, float]:
    """Return how long it takes, with what a GPU still has to do: by the clock on the wall and in processor time."""
    begun, begun_cpu = time.perf_counter(), time.process_time()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begun, time.process_time() - begun_cpu


def measure(rounds: int, steps: int) -> dict:
    """Return clips per second of each kind of step, and their ratios to the bare one, round by round."""
    device = best_device()
    from_sounds = dataclasses.replace(FIRST, source="waveforms")
    kinds = {
        "bare": bare(FIRST, steps, device),
        "pictures": whole(FIRST, steps, device),
        "sounds": whole(from_sounds, steps, device),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in kinds}
    for number in range(rounds + 1):
        for name, work in kinds.items():
            times = seconds(work, device)
            if number:  # the first round warms up
                taken[name].append(times)
    walls, processors = ({name: np.array(times)[:, clock] for name, times in taken.items()} for clock in (0, 1))
    ratios = _ratios(walls)
    return {
        "clips_per_second": {name: steps * FIRST.batch_size / float(np.median(times)) for name, times in walls.items()},
        "ratio_to_bare": ratios,
        "ratio_of_processor_time": _ratios(processors) if device.type == "cpu" else None,
        "goal": GOAL,
        "goal_met": ratios["pictures"] >= GOAL,
        "batch_size": FIRST.batch_size,
        "device": device_name(device),
        "precision": dtype_name(state_of(FIRST, device).precision),
        "load_average": list(os.getloadavg()),
    }


def _ratios(times: dict[str, np.ndarray]) -> dict[str, float]:
    return {name: float(np.median(times["bare"] / times[name])) for name in ("pictures", "sounds")}


def show(result: dict) -> None:
    """Print what was measured as a table."""
    print(f"ResNet18, batches of {result['batch_size']}, {result['precision']} on {result['device']}\n")
    titles = {"bare": "bare model step", "pictures": "whole step, from pictures", "sounds": "whole step, from sounds with mel"}
    for name, title in titles.items():
        ratio = result["ratio_to_bare"].get(name)
        said = f"{ratio:>8.2f} of the bare step" if ratio is not None else ""
        if ratio is not None and result["ratio_of_processor_time"]:
            said += f" ({result['ratio_of_processor_time'][name]:.2f} by processor time)"
        print(f"{title:<34}{result['clips_per_second'][name]:>9.1f} clips/s{said}")
    verdict = "met" if result["goal_met"] else "MISSED"
    print(f"\ngoal from pictures >= {result['goal']:g}: {verdict} (load average {result['load_average'][0]:.1f})")


def main(given: list[str] | None = None) -> None:
    """Measure and print; `given`: arguments in place of the command line's."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="rounds of all three kinds (default 7)")
    parser.add_argument("--steps", type=int, default=6, help="steps of each kind in a round (default 6)")
    parser.add_argument("--short", action="store_true", help="three rounds of two steps: an idea rather than a figure")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    arguments = parser.parse_args(given)
    result = measure(*((3, 2) if arguments.short else (arguments.rounds, arguments.steps)))
    if arguments.json:
        print(json.dumps(result, indent=1))
    else:
        show(result)


if __name__ == "__main__":
    main()
