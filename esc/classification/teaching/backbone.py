"""The trained network that own classes are taught on, and its features of sounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

import numpy as np
import torch

from esc.audio.waveform import is_silent
from esc.classification.classifier import Classifier
from esc.classification.first_clip import MIN_NAMED_S
from esc.classification.resnet import ResNet, build_model, layer_outputs, pooled_embedding
from esc.classification.teaching.synthetic_sounds import KINDS, SAMPLE_RATE, synthesise
from esc.classification.timeline.sliding_window import BATCH, clip_batches
from esc.classification.times import check_hop
from esc.dsp.spectrogram import clip_mel_db, network_input
from esc.errors import AudioError

_PER_KIND, _SEED = 16, 18  # synthetic sounds that show the detector what is of no class


class Backbone:
    """A trained network below its last layer.

    Parameters
    ----------
    classifier : Classifier
    """

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier

    @property
    def n_features(self) -> int:
        """Length of an embedding."""
        return self.classifier.model.fc.in_features

    def embeddings(self, pooled: np.ndarray) -> np.ndarray:
        """Return the embeddings (windows, n_features) among pooled activations (windows, n_pooled)."""
        return pooled_embedding(torch.from_numpy(pooled), self.n_features).numpy()

    def windows(self, blocks: Iterable[np.ndarray], sample_rate: int) -> Iterator[np.ndarray]:
        """Yield pooled activations, float32 (windows, n_pooled), of a sound's windows as of its timeline.

        Silent windows are left out.

        Raises
        ------
        AudioError
            The sound is too short to name.
        """
        meta = self.classifier.checkpoint
        hop = round(check_hop(None, meta.input.clip_seconds) * meta.spectrogram.sample_rate)
        seconds = 0.0
        for batch, seconds in clip_batches(self.classifier, blocks, sample_rate, hop):
            clips = [clip for _, clip in batch if not is_silent(clip)]
            if clips and seconds >= MIN_NAMED_S:
                yield self._pooled(clips)
        if seconds < MIN_NAMED_S:
            raise AudioError("audio.too_short_to_name", ms=1_000 * seconds, least_ms=1_000 * MIN_NAMED_S)

    @cached_property
    def unknown(self) -> np.ndarray:
        """Pooled activations of synthetic sounds of no class, float32 (clips, n_pooled)."""
        seconds, found = self.classifier.checkpoint.input.clip_seconds, []
        for number, kind in enumerate(KINDS):
            rng = np.random.default_rng([_SEED, number])
            clips = [self.classifier.clip(synthesise(kind, seconds, rng), SAMPLE_RATE) for _ in range(_PER_KIND)]
            found += [self._pooled(clips[first : first + BATCH]) for first in range(0, _PER_KIND, BATCH)]
        return np.concatenate(found)

    @cached_property
    def distance(self) -> Mapping[str, np.ndarray] | None:
        """The mean and whitening of its own training sounds' embeddings; None without a detector."""
        detector = self.classifier.detector
        if detector is None:
            return None
        return {name: getattr(detector, name).cpu().double().numpy() for name in ("embedding_mean", "whitening")}

    def with_head(self, weight: torch.Tensor, bias: torch.Tensor) -> ResNet:
        """Return this network with another last layer; both share all other weights."""
        with torch.device("meta"):
            model = build_model(self.classifier.checkpoint.architecture, len(bias))
        state = self.classifier.model.state_dict() | {"fc.weight": weight, "fc.bias": bias}
        model.load_state_dict(state, assign=True)
        return model.eval()

    @torch.inference_mode()
    def _pooled(self, clips: list[np.ndarray]) -> np.ndarray:
        meta, device = self.classifier.checkpoint, self.classifier.device
        spectrograms_db = torch.stack([clip_mel_db(clip, meta.spectrogram) for clip in clips])
        scaled = network_input(spectrograms_db.to(device), meta.input)[:, None].to(memory_format=torch.channels_last)
        return layer_outputs(self.classifier.model, scaled).pooled.cpu().numpy()
