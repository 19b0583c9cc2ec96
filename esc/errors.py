"""User-facing errors with message keys and values, so that they can be translated."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from numbers import Real
from typing import Any

MESSAGES = {
    # audio
    "audio.missing": "There is no file {name}.",
    "audio.empty": "{name} is empty (0 bytes). Choose a file with sound in it.",
    "audio.too_big": "{name} has {megabytes:.0f} MB; at most {limit_mb:.0f} MB are accepted.",
    "audio.too_long": "{name} lasts {minutes:.0f} minutes; at most {limit_minutes:.0f} are accepted.",
    "audio.too_many_windows": "{name} has {windows} windows at a hop of {hop:.2f} s; one call classifies at most {limit}. "
    "Choose a longer hop, or classify it on the command line.",
    "audio.unreadable": "{name} can't be read as sound ({reason}). Accepted are {accepted}.",
    "audio.no_track": "{name} holds no audio track. Accepted are {accepted}.",
    "audio.folder": "The folder {name} can't be used ({reason}).",
    "audio.no_samples": "{name} holds no sound: it decodes to 0 samples. The file may be cut off.",
    "audio.too_short": "{name} has {samples} sample(s); at least {least} are needed for a spectrum.",
    "audio.not_finite": "{name} holds no finite sample: all values are NaN or infinite.",
    "audio.scale": "{name} holds samples up to {peak} times full scale: it is damaged, or its sample format is not what its "
    "header says.",
    "audio.integers": "{name} holds samples up to {peak} times full scale: it is damaged, or holds integers of 24 or 32 bits as "
    "floats. full_scale = 8388608 or 2147483648 divides them (--full-scale on the command line).",
    "audio.memory": "{name} would take more than {limit_mb:.0f} MB as an array at {rate} Hz. Give a lower sample_rate or read "
    "it block by block (open_audio).",
    "audio.rate": "{name} has a sample rate of {rate} Hz; accepted are {low} to {high} Hz.",
    "audio.expanded_rate": "{name} has a sample rate of {rate} Hz, which a time expansion of {factor} makes {expanded} Hz; "
    "accepted are {low} to {high} Hz.",
    "audio.shape": "A waveform is one-dimensional or (channels, samples); this one has the shape {shape}.",
    "audio.whole": "A waveform of whole numbers ({dtype}) has no defined scale: divide it by its full scale first.",
    "audio.silent": "{name} is silent: there is nothing to compare.",
    "audio.timeout": "Reading {name} took longer than {seconds:.0f} s and was stopped. Try a shorter sound.",
    "audio.track": "{name} has no sound track {track}; it has {n_tracks}.",
    "audio.channel": "{name} has no channel {channel}; it has {choices}.",
    "audio.excerpt_too_big": "This selection would take {megabytes:.0f} MB; at most {limit_mb:.0f} MB can be saved. Select less.",
    "audio.slowed_too_long": "{name} is too long to play at a tenth of its speed; at most {minutes:.0f} minutes can be. Select "
    "and save a part of it, and open that.",
    "audio.changed": "{name} was changed or removed during the run. Run the command again.",
    "audio.crashed": "Reading {name} failed ({reason}). The file may be damaged or need too much memory.",
    "audio.too_short_to_name": "This sound is too short to name: it lasts {ms:.0f} ms; {least_ms:.0f} ms are needed.",
    "audio.refused": "{name} was not classified ({reason}).",
    "note.band": "The classes cover sounds up to 20 kHz: what lies above is displayed, but not classified.",
    "note.cut_off": "The file is cut off: it announces more sound than it contains.",
    "note.damaged": "The file is damaged: parts of it can't be decoded and are left out.",
    "note.no_numbers": "Some samples are no numbers (NaN or infinite): they are taken for 0.",
    "note.tracks": "The file has several sound tracks; unless another one is chosen, the default one is used.",
    "note.phase": "The channels cancel out: their mean, which is displayed and classified, has lost most of the sound.",
    "note.scale": "The samples are far beyond full scale, as integers that were not divided by theirs: all levels are too high. "
    "full_scale = 32768 divides them (--full-scale on the command line).",
    "note.divided": "The samples were within full scale before they were divided: full_scale is for integers stored as floats.",
    "audio.disk_full": "The server's disk is full: {name} could not be processed. Try again later.",
    "audio.share": "{name} would take more than {limit_gb:.1f} GB on the server, once decoded. Cut it, or lower its sample rate.",
    "server.address": "The page can't be served at {address}: {reason}. Choose another --port (or PORT) or --host (or HOST).",
    # parameters
    "parameter.range": "{field} = {value} is not possible: it must lie between {low} and {high}.",
    "parameter.choice": "{field} = {value} is not possible: choose one of {choices}.",
    "parameter.type": "{field} = {value} is not possible: a {wanted} is needed.",
    "parameter.text": "{field} = {value} is not possible: text without null bytes and unpaired surrogates is needed.",
    "parameter.length": "{field} has {length} bytes; at most {limit} are possible.",
    "parameter.window": "win_length = {value} is not possible: the window must fit into n_fft = {n_fft} samples.",
    "parameter.band": "fmin = {fmin} Hz and fmax = {fmax} Hz are not possible: fmin must lie below fmax.",
    "parameter.offset": "With an offset of {value:.3f} s the two sounds do not overlap: it must lie "
    "between {low:.3f} and {high:.3f} s.",
    "parameter.no_common_band": "A holds {a_low:.0f} to {a_high:.0f} Hz and B {b_low:.0f} to {b_high:.0f} Hz: they have no "
    "frequency in common. Change the band of one of them.",
    "parameter.db_ref": "db_ref = {value} is not possible for a part: only a whole spectrogram has a maximum. Give a power.",
    "parameter.nyquist": "fmax = {value} Hz is not possible: it must be at most {nyquist} Hz, half of {sample_rate} Hz.",
    "parameter.mfcc": "n_mfcc = {value} is not possible: it must be at most n_mels = {n_mels}.",
    "parameter.delta": "A derivative needs {width} frames, and this sound has {n_frames}. Use a smaller hop_length.",
    "parameter.sub_batch": "A batch of {batch} can't be split into sub_batch = {value}: choose a divisor of it, 2 or more.",
    "parameter.processes": "{processes} processes can't share a batch of {batch} in sub-batches of {value} clips: choose a "
    "--sub-batch that divides evenly among them.",
    "parameter.class": "{value} is not a class of this model; its config.json lists them.",
    "parameter.keys": "These parameters can't be used: unknown {unknown}, missing {missing}.",
    "parameter.too_much": "This spectrum has {millions:.0f} million values; at most {limit:.0f} million are computed at "
    "once. Use a larger hop_length, a smaller n_fft or a shorter sound.",
    # checkpoints
    "checkpoint.missing": "There is no checkpoint in {path}. Train one (python -m training train) or restore the folder.",
    "checkpoint.damaged": "The checkpoint in {path} can't be used: {reason}. Restore the folder or train anew.",
    "checkpoint.version": "The checkpoint in {path} has format {found}; this program reads format {wanted}. Use the version that "
    "wrote it, or train anew.",
    "checkpoint.archive": "{name} can't be used as a network: {reason}. A ZIP made by the Teach tab or by `teach` is needed.",
    "robustness.damaged": "The figures in {path} can't be used: {reason}. Measure anew (python -m training robustness --save).",
    "metrics.damaged": "The figures in {path} can't be used: {reason}. Measure anew (python -m training calibrate).",
    # indices of sounds
    "index.missing": "There is no index {path}. Make one (python -m esc index FOLDER -o {path}).",
    "index.damaged": "The index {path} can't be used: {reason}. Make it anew (python -m esc index FOLDER -o {path}).",
    "index.checkpoint": "The index {path} was made by another checkpoint: its sounds can't be compared with this one's. "
    "Make it anew (python -m esc index FOLDER -o {path}).",
    "index.write": "{path} can't be written ({reason}).",
    # label files
    "labels.format": "{name} holds no labels that can be read: an Audacity label track, a Raven selection table, CSV with the "
    "columns start, end and label, or JSON is needed.",
    "labels.none": "There are no labels to save. Name a selection first.",
    "labels.many": "There are {count} labels; at most {limit} can be saved as excerpts.",
    # batch runs
    "resume_log.settings": "{path} is of a run with another checkpoint or other options. Choose another --output or remove it.",
    "resume_log.damaged": "{path} can't be used: {reason}. Remove it; the files are then classified again.",
    "resume_log.write": "{path} can't be written ({reason}).",
    "ray.address": "No Ray cluster answers at {address} ({reason}). Leave --address out to use this machine alone.",
    "ray.workers": "Ray lost its workers repeatedly ({reason}). Results so far are in {path}: run the command again to "
    "resume, or without --engine ray to find the file that ends a process.",
    # exports of views
    "export.too_much": "{millions:.1f} million values are too many: at most {limit:.0f} million are written at once. Save "
    "what is on screen, or raise hop_length.",
    # features
    "feature.size": "{frames} frames of {n_freqs} frequencies are too many for this feature: raise hop_length, now "
    "{hop_length}, or lower n_fft.",
    # optional packages, exports
    "package.missing": "This needs the package {package}, which is not installed. Install it (pip install -r {file}).",
    "export.no_sound": "There is no sound to compare the exported network on: restore the folder assets/examples.",
    "export.write": "{path} can't be written ({reason}).",
    # data and training
    "data.missing": "There is no data set in {path}: {reason}. Set ESC50_DIR or --data to the folder of ESC-50, or make one "
    "of your own sounds (python -m training prepare --folders FOLDER).",
    "data.columns": "{path} lacks the columns {missing}; ESC-50's own table has filename, fold, target, category.",
    "data.table": "{path} can't be used as ESC-50's table ({reason}). Fetch the archive again.",
    "data.row": "Row {number} of {path} can't be used ({reason}); fold and target are whole numbers, each clip stands once.",
    "data.clips": "{count} clips named in {path} are not there, the first is {first}. Fetch the archive again.",
    "data.classes": "The data set and the network have different classes: {data}; {network}. Give the --data it was trained on.",
    "own.missing": "There are no sounds of your own in {path}: {reason}. Give a folder with a folder of sounds for each class, "
    "or a CSV table with the columns file and label.",
    "own.columns": "{path} lacks the columns {missing}: it needs file and label.",
    "own.row": "Row {number} of {path} can't be used ({reason}).",
    "own.reserved": "{label} can't be the name of a class: it is what the classifier says of sounds of no class. Choose "
    "another name.",
    "own.classes": "{path} has {count} class(es); at least 2 are needed.",
    "own.twice": "{first} and {second} are the same sound in two classes ({labels}). Keep it in one of them.",
    "own.few": "Class {label} has {files} usable file(s); at least {least} are needed, so that one can be held out.",
    "own.exists": "{path} is there already, made from other sounds. Remove it or give another --data.",
    "teach.name": "{label} can't be the name of a class: 1 to {limit} printable characters are needed.",
    "teach.other": "There is no class {label} for sounds of none of the others; the classes are {choices}.",
    "teach.classes": "There are {count} class(es); {least} to {most} can be taught.",
    "teach.few": "Class {label} has {files} usable example(s); at least {least} are needed, so that some can be held out.",
    "teach.many": "{count} examples are too many: at most {limit} can be taught at once.",
    "teach.long": "The examples are too long: together they have more than {limit} windows, of one clip each. Shorten them.",
    "teach.silent": "{name} is silent: there is nothing to learn from.",
    "teach.zip": "{name} can't be used: {reason}. A ZIP with a folder of sounds for each class is needed.",
    "teach.exists": "{path} is there already and is no taught network. Give another folder.",
    "data.fold": "Fold {fold} does not exist; this data has the folds {folds}.",
    "data.without": "{value} can't be left out: give names of classes, or a number up to {most}.",
    "data.cache": "{path} is damaged. Remove it and run the command again: it is made anew.",
    "parameter.unknown": "This recipe trains without sounds of no class: leave --unknown {path} away.",
    "run.seen": "Fold {fold} was trained on: figures on it are no measure. Give a fold that was held out.",
    "data.no_sounds": "There are no sound files in {path}. Give another folder.",
    "data.few": "There are {clips} clips to train on, fewer than one batch of {batch}.",
    "data.no_clip": "There is neither a file {name} here nor a clip of that name in ESC-50.",
    "data.damaged": "The clip {path} can't be used: {reason}. Fetch it again.",
    "data.silent": "All sounds in {path} are silent. Give a folder with other ones.",
    "data.sounds": "{path} can't be used ({reason}): a table of sounds has the columns file and label.",
    "data.predictions": "{path} holds no predictions ({reason}). Remove it; the command makes it anew.",
    "disk.room": "There is no room for {path}: it needs {needed_mb:.0f} MB and the disk has {free_mb:.0f} MB left.",
    "disk.full": "The disk is full: {path} could not be written. Make room and run the command again.",
    "download.failed": "{url} could not be fetched ({reason}). Run the command again: it goes on where it stopped.",
    "download.archive": "What came from {url} is not ESC-50's archive ({reason}). It was removed; try again or give a --url.",
    "download.exists": "{path} is there already and holds something else. Remove it or give another --output.",
    "weights.unreachable": "ImageNet weights could not be fetched ({reason}). Give a file with --weights, or start from "
    "fresh weights with --fresh: that is another experiment.",
    "weights.checkpoint": "{path} can't be fine-tuned: {reason}. Give the folder of a checkpoint with --from.",
    "weights.left_out": "{path} can't be fine-tuned: it was trained on classes that are left out ({classes}). Give a "
    "checkpoint that was trained without them.",
    "weights.unreadable": "{path} can't be used as ImageNet weights: {reason}.",
    "run.missing": "There is no run in {path}: {reason}. Train one (python -m training train).",
    "run.damaged": "{path} can't be taken up ({reason}). Remove the run's folder and train anew.",
    "run.diverged": "{path}: after epoch {epoch} the loss is no number. Lower the recipe's learning_rate and train anew.",
    "run.folds": "{paths} held out the folds {folds}: give runs of which each held out another one.",
    "run.classes": "{paths} don't have the same classes: give runs of one recipe on the whole data set.",
    "run.mismatch": "{path} was started with other settings ({differences}). Choose another --name or remove the folder.",
    # the page
    "page.session": "This page is no longer known to the server. Reload it.",
    "page.request": "The server could not understand the request ({reason}). Reload the page.",
    "page.gone": "This sound is no longer on the server. Drop it in again.",
    "page.disk_full": "The server's disk is full: nothing was lost, but this could not be written. Try again later.",
    "page.busy": "The server is busy with other sounds. Try again in a moment.",
    "files.many": "{name} was left out: at most {limit} files are accepted.",
    "files.large": "{name} was left out: at most {limit_gb:.0f} GB are accepted.",
    "page.no_sound": "No sound is open. Drop in a file, record one, or choose an example.",
    "page.gradio": "{reason}.",
    "page.failed": "Something went wrong on the server; it has been written to its log. What you had is still there.",
}

_MAX_VALUE_LENGTH = 240
_HUGE = 10**30


class EscError(Exception):
    """Error with a message for the user.

    Parameters
    ----------
    key : str
        Key of the message in `MESSAGES`.
    **values
        Values that the message names: the field, the offending value, the legal range.
    """

    def __init__(self, key: str, **values: object) -> None:
        self.key = key
        self.values = {name: _brief(value) for name, value in values.items()}
        super().__init__(MESSAGES[key].format(**self.values))

    def __reduce__(self) -> tuple:
        # the default would call the class with the formatted message; errors are pickled between processes
        return _rebuild, (type(self), self.key, self.values)


class AudioError(EscError):
    """Sound that can't be read or used."""


class ParameterError(EscError):
    """Parameter, or combination of parameters, that is not possible."""


class CheckpointError(EscError):
    """Checkpoint that is missing, damaged or of another format."""


class PackageError(EscError):
    """Optional package that is not installed."""


class SoundIndexError(EscError):
    """Sound index that is missing, damaged or of another checkpoint."""


class BatchError(EscError):
    """Batch run that can't be started, resumed or completed."""


class LabelFileError(EscError):
    """Label file that can't be read, or labels that can't be written."""


class ExportError(EscError):
    """Exported model that can't be written."""


class DataError(EscError):
    """Data set, or data prepared from it, that can't be used."""


class PageError(EscError):
    """Request of the page that can't be answered."""


def check_range(field: str, value: Any, low: float, high: float, kind: type[Any] = Real) -> None:
    """Raise ParameterError unless `value` is a number (`Real` or `Integral`) from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:  # also catches NaN
        raise ParameterError("parameter.range", field=field, value=value, low=low, high=high)


def check_choice(field: str, value: Any, choices: Sequence[str]) -> None:
    """Raise ParameterError unless `value` is one of `choices`."""
    if value not in choices:
        raise ParameterError("parameter.choice", field=field, value=value, choices=", ".join(choices))


def require_packages(requirements: str, *names: str) -> None:
    """Raise PackageError unless optional packages can be imported."""
    for name in names:
        try:
            import_module(name)
        except ImportError as error:
            raise PackageError("package.missing", package=error.name, file=requirements) from error


def reason_of(error: Exception) -> str:
    """Return the cause of an exception in one line, for messages."""
    return getattr(error, "strerror", None) or next(iter(str(error).splitlines()), type(error).__name__)


def _brief(value: object) -> object:
    """Return plain values as they are, all others as text of bounded length."""
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < _HUGE):
        return value
    text = "a huge number" if isinstance(value, int) else str(value)
    return text if len(text) <= _MAX_VALUE_LENGTH else text[: _MAX_VALUE_LENGTH - 1] + "…"


def _rebuild(kind: type[EscError], key: str, values: dict) -> EscError:
    return kind(key, **values)
