"""The model card beside a checkpoint, written from what the checkpoint says of itself and from measured figures."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from esc.audio.io import load_audio
from esc.classification.checkpoint import Checkpoint
from esc.classification.classifier import Classifier
from esc.classification.metrics_file import read_metrics
from training.evaluation.held_out_log import Reading
from training.evaluation.ood import REFUSED
from training.recipes import recipe_name
from training.runs.disk import write_whole

_SCORES = MappingProxyType({"energy": "energy (log-sum-exp of the logits)", "max_softmax": "largest probability"})
_FRONT = """---
license: cc-by-nc-4.0
library_name: pytorch
pipeline_tag: audio-classification
tags: [audio, environmental-sound, esc-50, {architecture}]
---
"""


def write_card(folder: Path, classifier: Classifier, reading: Reading, fold: int, examples: Path) -> Path:
    """Write `README.md` beside a checkpoint, from it and from the `figures.json` there, and return its path.

    Parameters
    ----------
    folder : path
        The checkpoint's folder.
    classifier : Classifier
        Loaded from it.
    reading : Reading
        Of `fold`, which it was not trained on.
    fold : int
    examples : path
        Folder of synthesised sounds, each named after the class it is meant to be.
    """
    figures = read_metrics(folder) or {}
    sections = [
        _FRONT.format(architecture=classifier.checkpoint.architecture),
        _what(classifier.checkpoint, reading, fold, figures.get("held_out")),
        _made(classifier.checkpoint),
        *_calibration(classifier.checkpoint, figures),
        _examples(classifier, examples),
        _limits(classifier.checkpoint),
    ]
    path = folder / "README.md"
    write_whole(path, "\n".join(sections))
    return path


def _what(checkpoint: Checkpoint, reading: Reading, fold: int, held_out: dict | None) -> str:
    figures, made = reading.calibrated, checkpoint.provenance
    trained = ", ".join(map(str, made["train_folds"]))
    begun = "from scratch" if made["initial_weights"].startswith("fresh") else f"({made['initial_weights']})"
    data = "no other data, " if begun == "from scratch" else ""
    before = "" if checkpoint.calibration is None else f" ({reading.figures.ece:.4f} before the temperature)"
    kept = "at the last epoch" if made["recipe"]["average"] is None else "at the last epoch (running average of the weights)"
    all_folds = ""
    if held_out and len(held_out["folds"]) > 1:
        networks = f"{len(held_out['folds'])} networks made this way, each on the fold that it held out"
        all_folds = f"\n{networks}: accuracy {held_out['accuracy']:.4f} over {held_out['clips']} clips.\n"
    return f"""# {checkpoint.architecture} for ESC-50

Names which of 50 environmental sounds a {checkpoint.input.clip_seconds:g}-second clip is. Trained {begun} on folds
{trained} of ESC-50 and never on fold {fold}; {data}no test-time augmentation.

| on fold {fold}, {kept} | |
|---|---|
| accuracy | {figures.accuracy:.4f} |
| cross-entropy, nats | {figures.loss:.4f} |
| expected calibration error, 15 bins | {figures.ece:.4f}{before} |
| clips | {figures.clips} |

Measure it again: `python -m training evaluate --fold {fold}`. One run with one seed: expect about two points either way.
{all_folds}"""


def _made(checkpoint: Checkpoint) -> str:
    made, recipe, spectrogram = checkpoint.provenance, checkpoint.provenance["recipe"], checkpoint.spectrogram
    optimizer = {"adam": "Adam", "adamw": "AdamW"}[recipe.get("optimizer", "adamw")]
    rate = f"{recipe['learning_rate']:g}"
    tenfold = recipe.get("schedule") == "tenfold"
    schedule = f"a rate of {rate} divided by ten every tenth epoch" if tenfold else f"a one-cycle rate up to {rate}"
    shown = recipe["augmentation"]
    mixing = "no augmentation" if shown is None else f"two sounds mixed in {shown['mix_share']:.0%} of the clips"
    noise = (("dropout", "dropout"), ("drop_path", "stochastic depth up to"))
    kept_back = "".join(f", {said} {recipe[name]:g}" for name, said in noise if recipe.get(name))
    scaled = " and stretched to 0..255" if checkpoint.input.scaling == "notebook" else ""
    name = recipe_name(recipe)
    command = "python -m training train" + (f" --recipe {name} --fold {made['valid_fold']} --seed {made['seed']}" if name else "")
    return f"""## How it was made

`{command}`: {made["epoch"]} epochs in {_in_words(made["hours"])} on
{made["device"]}, seed {made["seed"]}, batches of {recipe["batch_size"]}, {optimizer} with {schedule},
label smoothing {recipe["label_smoothing"]:g}{kept_back}, {mixing}.
All numbers stand in `config.json`.

Input: mel spectrogram of {spectrogram.n_mels} bands, {spectrogram.fmin:g} to {spectrogram.fmax:g} Hz, at
{spectrogram.sample_rate} Hz, n_fft {spectrogram.n_fft}, hop {spectrogram.hop_length}, {spectrogram.top_db:g} dB deep, each
clip standardised by itself{scaled}. Longer sounds are cut to the clip, shorter ones mirrored at both ends.
"""


def _in_words(hours: float) -> str:
    if hours >= 1:
        return f"{hours:g} hours"
    return f"{60 * hours:.0f} minutes" if 60 * hours >= 1.5 else "a minute"


def _examples(classifier: Classifier, examples: Path) -> str:
    rows, among = [], 0
    files = sorted(examples.glob("*.flac"))
    for file in files:
        top = classifier.predict(*load_audio(file)).top
        among += file.stem in dict(top)
        said = ", ".join(f"{label} {probability:.2f}" for label, probability in top[:3])
        place = [label for label, _ in top].index(file.stem) + 1 if file.stem in dict(top) else "–"
        rows.append(f"| {file.stem} | {place} | {said} |")
    return (
        f"""## What it says of the example sounds

Synthesised and never trained on, but given their shape with a network's answers in view: no measure of how good it is. The
intended class is among the five likeliest for {among} of {len(files)}.

| meant to be | place | the three likeliest |
|---|---|---|
"""
        + "\n".join(rows)
        + "\n"
    )


def _calibration(checkpoint: Checkpoint, figures: dict) -> list[str]:
    """Return the section on probabilities and unknown sounds, where they were measured."""
    if checkpoint.calibration is None or not {"held_out", "unknown"} <= set(figures):
        return []
    held_out, unknown, calibration = figures["held_out"], figures["unknown"], checkpoint.calibration
    folds = ", ".join(map(str, held_out["folds"]))
    by = "the other folds" if len(held_out["folds"]) > 1 else "other recordings of that fold"
    rows = "\n".join(f"| {kind} | {area:.3f} |" for kind, area in unknown["kinds"].items())
    return [
        f"""## What its probabilities mean

Logits are divided by a temperature of {calibration.temperature:.3f}, fitted on held-out clips (fold {folds}). With a temperature
fitted on {by} alone, the expected calibration error over {held_out["clips"]} held-out clips is {held_out["ece"]:.4f}
({held_out["ece_before"]:.4f} without one).

A sound whose {_SCORES[calibration.unknown_score]} lies below {calibration.unknown_threshold:.3f}
is called none of the classes: by construction that is {REFUSED:.0%} of the known clips that this network held out.
{_whose(unknown["left_out_classes"])} refuses {unknown["caught"]:.1%} of unknown
sounds and, by construction, {unknown["false_alarms"]:.1%} of known ones (AUROC {unknown["auroc"]:.3f}):

| unknown sounds | AUROC |
|---|---|
{rows}
"""
    ]


def _whose(left_out: list[str]) -> str:
    """Return the network that the shares of refused sounds are of: one that was trained on all classes can't be asked."""
    if not left_out:
        return "The same network"
    return f"Another network, trained without {len(left_out)} of the classes and with a threshold of its own,"


def _limits(checkpoint: Checkpoint) -> str:
    count = len(checkpoint.class_names)
    others = "names the nearest one for anything else"
    if checkpoint.calibration is None:
        named = f"It knows {count} sounds and {others}; its probabilities are plain softmax."
    else:
        named = f"It knows {count} sounds; of others it notices no more than the table above says, and else {others}."
    return f"""## Limits and licence

{named} The data are 2,000
clips from freesound.org, so rare recording situations will surprise it. ESC-50 (K. J. Piczak, 2015) is CC BY-NC 3.0: the
weights are CC BY-NC 4.0, for non-commercial use.
"""
