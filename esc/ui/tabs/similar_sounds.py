"""The section "Most similar sounds" of the classify tab: neighbours of the open sound, each with a picture and to be played."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

import gradio as gr
import numpy as np
import soundfile

from esc.audio.io import load_start
from esc.classification.similarity import Neighbour, SoundIndex, first_clip_of
from esc.dsp.spectrogram import mel_db
from esc.errors import AudioError
from esc.example_sounds import FOLDER, example_sounds
from esc.ui.i18n.catalogue import LANGUAGES, class_name
from esc.ui.inference.inference import classifier, embedding
from esc.ui.server.error_replies import error_reply
from esc.ui.server.rendering import as_base64
from esc.ui.sessions.sound import Sound
from esc.ui.sessions.sound_store import SoundStore
from esc.ui.tabs.player import mount_script

log = logging.getLogger(__name__)
SHOWN = 6
_POOL = 2  # bands and frames of the network's picture in one of the little picture: it is never drawn larger


class Neighbours:
    """The neighbours of one app's open sounds.

    Parameters
    ----------
    store : SoundStore
    checkpoint : path
        Folder of the checkpoint whose network embeds the sounds.
    index : path, optional
        What `python -m esc index` wrote; the example sounds where it is left out.
    """

    def __init__(self, store: SoundStore, checkpoint: Path, index: Path | None = None) -> None:
        self._store, self._checkpoint, self._file = store, checkpoint, index
        self._index: SoundIndex | None = None
        self._lock = threading.Lock()

    def component(self, loader: dict) -> gr.HTML:
        """Return the section; its "similar_sounds" event brings {"token", "sound", "turn"} and is answered in its value."""
        return gr.HTML(
            html_template='<section class="sg-neighbours"></section>',
            js_on_load=mount_script("tabs/similar_sounds.js", events=("similar_sounds",)),
            apply_default_css=False,
            elem_id="neighbours",
            **loader,
        )

    def wire(self, section: gr.HTML) -> None:
        """Let the section's questions be answered, one at a time with whatever else asks the network."""

        def similar_sounds_event(event: gr.EventData) -> dict:
            return self.answer(event._data)

        section.similar_sounds(
            similar_sounds_event,
            None,
            section,
            api_visibility="private",
            show_progress="hidden",
            trigger_mode="always_last",
            concurrency_limit=1,
            concurrency_id="network",
        )

    def answer(self, question: object) -> dict:
        """Return what the section draws for a question of the page, or {"error": sentence}, with its `turn`; nothing is raised.

        Parameters
        ----------
        question : dict
            {"token", "sound", "turn"}, from the browser and therefore not trusted.
        """
        question = question if isinstance(question, dict) else {}
        language, about = "en", {"sound": question.get("sound"), "turn": question.get("turn")}
        try:
            language = self._store.session(question.get("token")).language
            sound = self._store.sound(question["token"], question.get("sound"))
            return about | self._found(sound)
        except Exception as error:
            return about | error_reply("neighbours", error, language)

    def _found(self, sound: Sound) -> dict:
        heard = embedding(self._checkpoint, sound.waveform, sound.facts.sample_rate)
        index = self._opened()
        about = {"count": len(index.paths), "examples": self._file is None, "features": index.embeddings.shape[1]}
        about["clip_seconds"] = classifier(self._checkpoint).checkpoint.input.clip_seconds
        if heard is None:
            return about | {"silent": True, "rows": []}
        rows = [self._row(sound, rank, one, index) for rank, one in enumerate(index.nearest(heard, SHOWN))]
        return about | {"silent": False, "rows": rows}

    def _row(self, sound: Sound, rank: int, neighbour: Neighbour, index: SoundIndex) -> dict:
        row = {"names": self._names(neighbour.path, index), "similarity": neighbour.similarity, "same": neighbour.same}
        try:
            return row | self._heard(sound, rank, neighbour.path)
        except AudioError as error:  # moved or changed since the index was made
            log.warning("neighbours: %s", error)
            return row | {"clip": None}

    def _heard(self, sound: Sound, rank: int, path: Path) -> dict:
        """Return a neighbour's clip, where the browser finds it, and its little picture."""
        meta = classifier(self._checkpoint).checkpoint
        opening = first_clip_of(path, classifier(self._checkpoint))
        picture = mel_db(opening.samples, meta.spectrogram).numpy()
        small = _pooled(picture)
        levels = np.rint(((small - small.max()) / meta.spectrogram.top_db + 1.0).clip(0, 1) * 255).astype(np.uint8)
        clip = path
        if not path.is_relative_to(FOLDER):  # its folder is nobody's business: what is played is a copy
            clip = self._store.companion_path(sound, f"neighbour-{rank}.flac")
            waveform, sample_rate = load_start(path, opening.start_s + meta.input.clip_seconds)
            heard = waveform[round(opening.start_s * sample_rate) :][: round(meta.input.clip_seconds * sample_rate)]
            soundfile.write(clip, heard.clip(-1, 1), sample_rate)
            self._store.keep_companion(sound, clip)
        return {"clip": str(clip), "levels": as_base64(levels), "rows": levels.shape[0], "columns": levels.shape[1]}

    def _names(self, path: Path, index: SoundIndex) -> dict[str, str]:
        if self._file is None:
            return {language: class_name(path.stem, language) for language in LANGUAGES}
        try:
            name = str(path.relative_to(os.path.commonpath([one.parent for one in index.paths])))
        except ValueError:  # on several drives
            name = path.name
        return dict.fromkeys(LANGUAGES, name)

    def _opened(self) -> SoundIndex:
        """Return the index, made or read when first asked for; a failure is not kept, so a mended file works at once."""
        with self._lock:
            if self._index is None:
                network = classifier(self._checkpoint)
                if self._file is not None:
                    self._index = SoundIndex.load(self._file, network)
                else:
                    self._index, errors = SoundIndex.of_files(network, example_sounds().values())
                    for error in errors:
                        log.warning("neighbours: %s", error)
            return self._index


def _pooled(picture: np.ndarray) -> np.ndarray:
    """Return the loudest of each `_POOL` x `_POOL` cells of a picture (n_mels, n_frames)."""
    for axis, length in enumerate(picture.shape):
        picture = np.maximum.reduceat(picture, np.arange(0, length, _POOL), axis=axis)
    return picture
