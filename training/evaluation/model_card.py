"""Model card of a checkpoint, generated from its config and its metrics."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from esc.audio.io import load_audio
from esc.classification.checkpoint_files.config import Checkpoint
from esc.classification.checkpoint_files.metrics import read_metrics
from esc.classification.checkpoint_files.robustness import Robustness, read_robustness
from esc.classification.classifier import Classifier
from esc.classification.confidence.calibration import SURE_PROBABILITY
from esc.classification.confidence.ood_fit import REFUSED_SHARE, UNSURE_SHARE
from esc.classification.teaching.head import wilson_interval
from training.evaluation.held_out_log import Evaluation
from training.runs.disk import write_atomic
from training.runs.run_dir import ESC_50, is_esc50
from training.runs.train_command import train_command

_KINDS = MappingProxyType(
    {
        "held_out": "held-out clips", "noise": "noise, synthetic", "tones": "tones, synthetic", "speech": "speech, synthetic",
        "left_out_classes": "classes left out of training", "recorded": "recordings from elsewhere",
    }
)  # fmt: skip
_CHOSEN_ON_ESC50 = """
The parts of the detector and the strength of its regression were chosen on another network with fold 5 and the recordings
below in view (training/NOTES.md), so the figures for these are somewhat optimistic."""
_FRONT = """---
license: {licence}
library_name: pytorch
pipeline_tag: audio-classification
tags: [{tags}, {architecture}]
---
"""


def write_card(folder: Path, classifier: Classifier, evaluation: Evaluation, fold: int, examples: Path) -> Path:
    """Write `README.md` of a checkpoint from its files, and return its path.

    `evaluation` is on `fold`, which it was not trained on; `examples` holds sounds named after their intended classes.
    """
    figures = read_metrics(folder) or {}
    sections = [
        _front(classifier.checkpoint),
        _summary(classifier.checkpoint, evaluation, fold, figures.get("held_out")),
        _training(classifier.checkpoint),
        *_calibration(classifier.checkpoint, figures),
        *_robustness(read_robustness(folder)),
        *_examples(classifier, examples),
        _limits(classifier.checkpoint),
    ]
    path = folder / "README.md"
    write_atomic(path, "\n".join(sections))
    return path


def _is_esc50(checkpoint: Checkpoint) -> bool:
    return is_esc50(checkpoint.provenance["data"])


def _data_name(checkpoint: Checkpoint) -> str:
    name: str = checkpoint.provenance["data"]
    return name.replace(ESC_50.name, "ESC-50")


def _front(checkpoint: Checkpoint) -> str:
    licence = (checkpoint.provenance["licence"] or "other").lower().replace(" ", "-")
    tags = "audio, environmental-sound, esc-50" if _is_esc50(checkpoint) else "audio"
    return _FRONT.format(licence=licence, tags=tags, architecture=checkpoint.architecture)


def _summary(checkpoint: Checkpoint, evaluation: Evaluation, fold: int, held_out: dict | None) -> str:
    made = checkpoint.provenance
    initial = made["initial_weights"]
    from_scratch, is_tuned = initial.startswith("fresh"), initial.startswith("fine-tuned")
    trained = f"Trained {'from scratch' if from_scratch else f'({initial})'}"
    if is_tuned:
        trained = f"{initial[0].upper()}{initial[1:]}{',' if 'trained on' in initial else ''}"
    kept = "last epoch" if made["recipe"]["ema_decay"] is None else "last epoch, exponential moving average of the weights"
    folds = ", ".join(map(str, made["train_folds"]))
    data = "no other data, " if from_scratch else ""
    if made.get("unknown_clips"):
        data = f"{made['unknown_clips']} sounds of no class with a uniform target, "
    kind = "environmental sounds" if _is_esc50(checkpoint) else f"classes: {', '.join(checkpoint.class_names)}"
    command = f"python -m training evaluate --fold {fold}{'' if _is_esc50(checkpoint) else ' --checkpoint FOLDER'}"
    clips = evaluation.metrics.clips
    low, high = wilson_interval(round(evaluation.metrics.accuracy * clips), clips)
    return f"""# {checkpoint.architecture} for {_data_name(checkpoint)}

Classifies {checkpoint.input.clip_seconds:g}-second clips into {len(checkpoint.class_names)} {kind}.
{trained} on folds {folds} of {_data_name(checkpoint)} and never on fold {fold}; {data}no test-time augmentation.

{_metrics_table(evaluation, fold, held_out)}

{kept[0].upper()}{kept[1:]}.
To reproduce the column of fold {fold}: `{command}`. One run with one seed; {clips} clips
give the accuracy a 95 % interval of {low:.3f} to {high:.3f}.
"""


def _metrics_table(evaluation: Evaluation, fold: int, held_out: dict | None) -> str:
    """Return the table of held-out metrics; calibrated ones are cross-fitted."""
    plain = evaluation.metrics
    rows = [
        ("accuracy", f"{plain.accuracy:.4f}"),
        ("cross-entropy before calibration, nats", f"{plain.loss:.4f}"),
        ("expected calibration error (ECE) before calibration, 15 bins", f"{plain.ece:.4f}"),
        ("clips", f"{plain.clips}"),
    ]
    if held_out is None or len(held_out["folds"]) == 1:
        return f"| on fold {fold} | |\n|---|---|\n" + "\n".join(f"| {name} | {value} |" for name, value in rows)
    folds = ", ".join(map(str, held_out["folds"]))
    pooled = [f"{held_out['accuracy']:.4f}", "", f"{held_out['ece_before']:.4f}", f"{held_out['clips']}"]
    table = [f"| {name} | {value} | {other} |" for (name, value), other in zip(rows, pooled, strict=True)]
    table.insert(-1, f"| cross-entropy, cross-fitted temperature, nats | | {held_out['loss']:.4f} |")
    table.insert(-1, f"| ECE, cross-fitted temperature, 15 bins | | {held_out['ece']:.4f} |")
    networks = f"{len(held_out['folds'])} networks, each on its held-out fold ({folds})"
    return f"| | this checkpoint, fold {fold} | {networks} |\n|---|---|---|\n" + "\n".join(table)


def _training(checkpoint: Checkpoint) -> str:
    made, recipe, spectrogram = checkpoint.provenance, checkpoint.provenance["recipe"], checkpoint.spectrogram
    optimizer = {"adam": "Adam", "adamw": "AdamW"}[recipe["optimizer"]]
    rate = f"{recipe['learning_rate']:g}"
    tenfold = recipe["schedule"] == "tenfold"
    schedule = (
        f"a learning rate of {rate} divided by ten every tenth epoch" if tenfold else f"a one-cycle learning rate up to {rate}"
    )
    augmentation = recipe["augmentation"]
    mixing = "no augmentation" if augmentation is None else f"{augmentation['mix_share']:.0%} of the clips mixed with another"
    if augmentation and augmentation.get("recordings"):
        replaced, recordings = 1 - augmentation["as_it_is_share"], augmentation["recordings"]
        mixing += f",\n{replaced:.0%} of them replaced by one of {recordings} distorted recordings"
    options = (("dropout", "dropout"), ("drop_path", "stochastic depth up to"))
    regularization = "".join(f", {label} {recipe[name]:g}" for name, label in options if recipe[name])
    scaling = " and rescaled to 0..255" if checkpoint.input.scaling == "notebook" else ""
    return f"""## Training

`{train_command(made)}`: {made["epoch"]} epochs in {_duration(made["hours"])} on
{made["device"]}, seed {made["seed"]}, batches of {recipe["batch_size"]}, {optimizer} with {schedule},
label smoothing {recipe["label_smoothing"]:g}{regularization}, {mixing}.
All hyperparameters are in `config.json`.

Input: mel spectrogram of {spectrogram.n_mels} bands, {spectrogram.fmin:g} to {spectrogram.fmax:g} Hz, at
{spectrogram.sample_rate} Hz, n_fft {spectrogram.n_fft}, hop {spectrogram.hop_length}, {spectrogram.top_db:g} dB range, each
clip standardised by itself{scaling}. Longer sounds are cut to the clip, shorter ones reflected at both ends.
"""


def _duration(hours: float) -> str:
    if hours >= 1:
        return f"{hours:g} hours"
    return f"{60 * hours:.0f} minutes" if 60 * hours >= 1.5 else "a minute"


def _examples(classifier: Classifier, examples: Path) -> list[str]:
    """Return the section on the example sounds, if the network knows their classes."""
    rows, found = [], 0
    files = sorted(examples.glob("*.flac"))
    if not {file.stem for file in files} & set(classifier.class_names):
        return []
    for file in files:
        top = classifier.predict(*load_audio(file)).top
        labels = [label for label, _ in top]
        rank = str(labels.index(file.stem) + 1) if file.stem in labels else "–"
        found += file.stem in labels
        rows.append(f"| {file.stem} | {rank} | {', '.join(f'{label} {share:.2f}' for label, share in top[:3])} |")
    table = "\n".join(rows)
    return [
        f"""## Predictions for the example sounds

Synthetic and never trained on, but tuned with a network's predictions in view: no measure of quality. The intended class is
among the top five for {found} of {len(files)}.

| intended class | rank | top three |
|---|---|---|
{table}
"""
    ]


def _calibration(checkpoint: Checkpoint, figures: dict) -> list[str]:
    """Return the section on calibration and unknown sounds, if measured."""
    if checkpoint.calibration is None or not {"held_out", "unknown"} <= set(figures):
        return []
    held_out, unknown, calibration = figures["held_out"], figures["unknown"], checkpoint.calibration
    folds = ", ".join(map(str, held_out["folds"]))
    others = "the other folds" if len(held_out["folds"]) > 1 else "other recordings of that fold"
    fitted = ", ".join(f"{_KINDS.get(kind, kind)} ({count})" for kind, count in unknown["fit_sounds"].items())
    chosen = _CHOSEN_ON_ESC50 if _is_esc50(checkpoint) else ""
    return [
        f"""## Calibration and unknown sounds

Logits are divided by a temperature of {calibration.temperature:.3f}, fitted on held-out clips (fold {folds}). With temperatures
fitted on {others} only, the ECE over {held_out["clips"]} held-out clips is {held_out["ece"]:.4f}
({held_out["ece_before"]:.4f} without temperature).

A detector scores how well a sound fits the classes: Mahalanobis distance of the embedding, a logistic regression on the pooled
activations of all layers, energy and highest probability, each standardised, summed. The regression was fitted on training
clips and on other unknown sounds than below: {fitted}.
A sound below {calibration.unknown_threshold:.3f} is reported as none of the classes (expected of {REFUSED_SHARE:.0%} of known
sounds), and as unsure below {calibration.unsure_threshold:.3f} (of {UNSURE_SHARE:.0%}) or with a
probability below {SURE_PROBABILITY}.
For the held-out clips below, each half has the thresholds of the other one; no other sound had a part in
fitting.{chosen}

| known sounds | number | none of the classes | unsure | accuracy of the sure verdicts |
|---|---|---|---|---|
{_rows(unknown["known"], "accuracy", _KINDS)}{_known_auroc(unknown)}
| unknown sounds | number | none of the classes | unsure | AUROC |
|---|---|---|---|---|
{_rows(unknown["kinds"], "auroc", _KINDS)}{_rows(unknown.get("labels", []), "auroc", {})}"""
        + _example_list("Refused, with the nearest class", unknown.get("refused", []))
        + _example_list("Taken for a class", unknown.get("missed", []))
    ]


def _known_auroc(unknown: dict) -> str:
    """Return the AUROC of each set of known sounds against the unknown recordings."""
    areas = {one["name"]: one.get("auroc") for one in unknown["known"]} | {"held_out": unknown.get("auroc")}
    named = ", ".join(f"{_KINDS.get(name, name)} {area:.3f}" for name, area in areas.items() if area is not None)
    return f"\nAUROC against the unknown recordings below: {named}.\n" if named else ""


def _robustness(measured: Robustness | None) -> list[str]:
    """Return the section on distorted clips, if measured."""
    if measured is None:
        return []
    previous = measured.get("previous")
    before = previous["accuracy"] if previous else {}
    rows = "\n".join(
        f"| {name} | {share:.4f} |" + (f" {before[name]:.4f} |" if name in before else " |" if previous else "")
        for name, share in measured["accuracy"].items()
    )
    columns = "| distortion | accuracy |" + (f" before: `{previous['run']}` |" if previous else "")
    return [
        f"""## Robustness

Accuracy on the {measured["clips"]} clips of fold {measured["fold"]}, distorted as recordings are, always in the same way
(`python -m training robustness --fold {measured["fold"]}`):

{columns}
|{"---|" * (3 if previous else 2)}
{rows}
"""
    ]


def _rows(groups: list[dict], last: str, names: Mapping[str, str]) -> str:
    """Return table rows of groups of sounds, some under the `names` given."""
    cells = (
        (
            names.get(one["name"], one["name"].replace("_", " ")), one["sounds"], f"{one['refused']:.1%}",
            f"{one['unsure']:.1%}", f"{one[last]:.3f}" if last in one else "",
        )
        for one in groups
    )  # fmt: skip
    return "".join(f"| {' | '.join(map(str, row))} |\n" for row in cells)


def _example_list(title: str, examples: list[dict]) -> str:
    if not examples:
        return ""
    names = (f"{one['label'].replace('_', ' ')} ({one['nearest']} {one['probability']:.2f})" for one in examples)
    return f"\n{title}: {', '.join(names)}.\n"


def _limits(checkpoint: Checkpoint) -> str:
    count = len(checkpoint.class_names)
    unknown = f"It knows {count} sounds and assigns anything else to the most similar one; its probabilities are plain softmax."
    if checkpoint.calibration is not None:
        unknown = (
            f"It knows {count} sounds; it rejects others only as often as stated above, and assigns the rest to one of these."
        )
    if not _is_esc50(checkpoint):
        licence = checkpoint.provenance["licence"] or "not stated"
        return f"""## Limits and licence

{unknown}
The data are {checkpoint.provenance["data"]}: it may fail on recordings unlike these. Licence of the weights: {licence}.
"""
    return f"""## Limits and licence

{unknown}
The data are 2,000 clips from freesound.org, so it may fail in rare recording conditions. ESC-50 (K. J. Piczak, 2015) is
CC BY-NC 3.0: the weights are CC BY-NC 4.0, for non-commercial use.
"""
