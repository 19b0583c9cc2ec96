"""The model card beside a checkpoint, written from what the checkpoint says of itself and from measured figures."""

from __future__ import annotations

from pathlib import Path

from esc.audio import load_audio
from esc.checkpoint import Checkpoint
from esc.classifier import Classifier
from training.evaluate import Figures

_FRONT = """---
license: cc-by-nc-4.0
library_name: pytorch
pipeline_tag: audio-classification
tags: [audio, environmental-sound, esc-50, {architecture}]
---
"""


def write_card(folder: Path, classifier: Classifier, figures: Figures, fold: int, examples: Path) -> Path:
    """Write `README.md` beside a checkpoint and return its path.

    Parameters
    ----------
    folder : path
        The checkpoint's folder.
    classifier : Classifier
        Loaded from it.
    figures : Figures
        Measured on `fold`, which it was not trained on.
    fold : int
    examples : path
        Folder of synthesised sounds, each named after the class it is meant to be.
    """
    sections = [
        _FRONT.format(architecture=classifier.checkpoint.architecture),
        _what(classifier.checkpoint, figures, fold),
        _made(classifier.checkpoint),
        _examples(classifier, examples),
        _limits(),
    ]
    path = folder / "README.md"
    path.write_text("\n".join(sections), encoding="utf-8")
    return path


def _what(checkpoint: Checkpoint, figures: Figures, fold: int) -> str:
    made = checkpoint.provenance
    trained = ", ".join(map(str, made["train_folds"]))
    begun = "from scratch" if made["initial_weights"].startswith("fresh") else f"({made['initial_weights']})"
    data = "no other data, " if begun == "from scratch" else ""
    kept = "at the last epoch" if made["recipe"]["average"] is None else "at the last epoch (running average of the weights)"
    return f"""# {checkpoint.architecture} for ESC-50

Names which of 50 environmental sounds a {checkpoint.input.clip_seconds:g}-second clip is. Trained {begun} on folds
{trained} of ESC-50 and never on fold {fold}; {data}no test-time augmentation.

| on fold {fold}, {kept} | |
|---|---|
| accuracy | {figures.accuracy:.4f} |
| cross-entropy, nats | {figures.loss:.4f} |
| expected calibration error, 15 bins | {figures.ece:.4f} |
| clips | {figures.clips} |

Measure it again: `python -m training evaluate --fold {fold}`. One run with one seed: expect about two points either way.
"""


def _made(checkpoint: Checkpoint) -> str:
    made, recipe, spectrogram = checkpoint.provenance, checkpoint.provenance["recipe"], checkpoint.spectrogram
    optimizer = {"adam": "Adam", "adamw": "AdamW"}[recipe.get("optimizer", "adamw")]
    rate = f"{recipe['learning_rate']:g}"
    tenfold = recipe.get("schedule") == "tenfold"
    schedule = f"a rate of {rate} divided by ten every tenth epoch" if tenfold else f"a one-cycle rate up to {rate}"
    shown = recipe["augmentation"]
    mixing = "no augmentation" if shown is None else f"two sounds mixed in {shown['mix_share']:.0%} of the clips"
    scaled = " and stretched to 0..255" if checkpoint.input.scaling == "notebook" else ""
    return f"""## How it was made

`python -m training prepare`, then `python -m training train`: {made["epoch"]} epochs in {made["hours"]:g} hours on
{made["device"]}, seed {made["seed"]}, batches of {recipe["batch_size"]}, {optimizer} with {schedule},
label smoothing {recipe["label_smoothing"]:g}, {mixing}.
All numbers stand in `config.json`.

Input: mel spectrogram of {spectrogram.n_mels} bands, {spectrogram.fmin:g} to {spectrogram.fmax:g} Hz, at
{spectrogram.sample_rate} Hz, n_fft {spectrogram.n_fft}, hop {spectrogram.hop_length}, {spectrogram.top_db:g} dB deep, each
clip standardised by itself{scaled}. Longer sounds are cut to the clip, shorter ones mirrored at both ends.
"""


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

Synthesised, never trained on; the intended class is among the five likeliest for {among} of {len(files)}.

| meant to be | place | the three likeliest |
|---|---|---|
"""
        + "\n".join(rows)
        + "\n"
    )


def _limits() -> str:
    return """## Limits and licence

It knows 50 sounds and names the nearest one for anything else; its probabilities are plain softmax. The data are 2,000
clips from freesound.org, so rare recording situations will surprise it. ESC-50 (K. J. Piczak, 2015) is CC BY-NC 3.0: the
weights are CC BY-NC 4.0, for non-commercial use.
"""
