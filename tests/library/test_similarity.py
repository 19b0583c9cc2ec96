"""Similar sounds: embeddings against a forward hook, cosines against scikit-learn, classes of ESC-50."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics.pairwise import cosine_similarity

import sounds
from esc import Classifier, SoundIndex, build_model, load_audio
from esc.audio.io import load_start
from esc.classification.resnet import ARCHITECTURES, embed
from esc.cli.main import main
from esc.dsp.spectrogram import clip_mel_db
from esc.errors import AudioError, SoundIndexError
from esc.example_sounds import example_sounds
from training.data.esc50 import read_clips


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


@pytest.fixture(scope="module")
def index(classifier) -> SoundIndex:
    """The index of the example sounds."""
    index, errors = SoundIndex.of_files(classifier, example_sounds().values())
    assert errors == []
    return index


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_embed_equals_input_of_last_layer(architecture):
    model = build_model(architecture, 7).eval()
    given = []
    model.fc.register_forward_pre_hook(lambda _, arguments: given.append(arguments[0]))
    pictures = torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        model(pictures)
        torch.testing.assert_close(embed(model, pictures), given[0], rtol=0, atol=0)


def test_embedding_equals_forward_hook(classifier):
    waveform, rate = load_audio(example_sounds()["crow"])
    given = []
    hook = classifier.model.fc.register_forward_pre_hook(lambda _, arguments: given.append(arguments[0]))
    try:
        prediction = classifier.in_float32().predict(waveform, rate)
    finally:
        hook.remove()
    embedding = classifier.embedding(waveform, rate)
    assert (embedding.shape, embedding.dtype) == ((512,), np.float32)
    np.testing.assert_allclose(embedding, given[0][0].numpy(), rtol=1e-5, atol=1e-6)
    logits = embedding @ classifier.model.fc.weight.detach().numpy().T + classifier.model.fc.bias.detach().numpy()
    assert classifier.class_names[logits.argmax()] == prediction.top[0][0]


@pytest.mark.slow
def test_nearest_to_itself(classifier, index):
    embeddings = np.stack([classifier.embedding(*load_audio(path)) for path in example_sounds().values()])
    expected = cosine_similarity(embeddings)
    for row, (path, embedding) in enumerate(zip(index.paths, embeddings, strict=True)):
        found = index.nearest(embedding, k=16)
        assert found[0].path == path and found[0].same
        assert not any(neighbour.same for neighbour in found[1:])
        assert {one.path for one in found} == set(index.paths)
        similarities = {neighbour.path: neighbour.similarity for neighbour in found}
        np.testing.assert_allclose([similarities[one] for one in index.paths], expected[row], atol=1e-5)
        assert [one.similarity for one in found] == sorted(similarities.values(), reverse=True)
    assert len(index.nearest(embeddings[0], k=3)) == 3
    assert index.nearest(np.zeros(512, np.float32), k=1)[0].similarity == 0.0


def test_only_the_first_clip_is_read(tmp_path):
    long = sounds.write(tmp_path / "long.wav", sounds.tone(seconds=60.0), 44_100)
    waveform, rate = load_start(long, 6.0)
    assert rate == 44_100
    assert 6.0 * rate <= len(waveform) < 30.0 * rate
    whole, _ = load_audio(long)
    np.testing.assert_array_equal(waveform, whole[: len(waveform)])


def test_index_round_trip(classifier, index, tmp_path, monkeypatch):
    monkeypatch.chdir(example_sounds()["crow"].parent)
    relative, _ = SoundIndex.of_files(classifier, [Path("crow.flac")])
    relative.save(tmp_path / "index.npz")
    monkeypatch.chdir(tmp_path)
    again = SoundIndex.load(tmp_path / "index.npz", classifier)
    assert again.paths == (example_sounds()["crow"],), "found from any folder"
    np.testing.assert_array_equal(again.embeddings, relative.embeddings)
    assert [path.name for path in tmp_path.iterdir()] == ["index.npz"]


def test_index_of_another_checkpoint(classifier, index, tmp_path):
    path = tmp_path / "index.npz"
    index.save(path)
    weights = build_model("resnet18", 50).eval()
    with pytest.raises(SoundIndexError, match="another checkpoint"):
        SoundIndex.load(path, Classifier(weights, classifier.checkpoint, classifier.device))
    other = replace(classifier.checkpoint, input=replace(classifier.checkpoint.input, clip_seconds=4.0))
    with pytest.raises(SoundIndexError, match="another checkpoint"):
        SoundIndex.load(path, Classifier(classifier.model, other, classifier.device))


def damaged(path: Path, index: SoundIndex) -> dict[str, Path]:
    """Write files that are no index, by what is wrong with them."""
    index.save(path / "whole.npz")
    content = (path / "whole.npz").read_bytes()
    meta = json.loads(str(np.load(path / "whole.npz")["meta"]))
    files = {name: path / f"{name}.npz" for name in ("empty", "cut", "text", "shape", "version", "pickled", "nan")}
    files["empty"].write_bytes(b"")
    files["cut"].write_bytes(content[: len(content) // 2])
    files["text"].write_bytes(b"no index " * 50)
    np.savez(files["shape"], embeddings=index.embeddings[:3], meta=np.array(json.dumps(meta)))
    np.savez(files["version"], embeddings=index.embeddings, meta=np.array(json.dumps(meta | {"format": 99})))
    np.savez(files["pickled"], embeddings=np.array([{}], dtype=object), meta=np.array(json.dumps(meta)))
    np.savez(files["nan"], embeddings=index.embeddings * np.nan, meta=np.array(json.dumps(meta)))
    return files


def test_damaged_index(classifier, index, tmp_path):
    for name, path in damaged(tmp_path, index).items():
        with pytest.raises(SoundIndexError, match="can't be used"):
            SoundIndex.load(path, classifier)
            pytest.fail(name)
    with pytest.raises(SoundIndexError, match="There is no index"):
        SoundIndex.load(tmp_path / "absent.npz", classifier)
    with pytest.raises(SoundIndexError, match="can't be written"):
        index.save(tmp_path / "no such folder" / "index.npz")


def test_index_command(classifier, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "recordings"
    folder.mkdir()
    for name in ("rain", "siren"):
        shutil.copy(example_sounds()[name], folder)
    sounds.write(folder / "quiet.wav", np.zeros(44_100, np.float32), 44_100)
    (folder / "broken.mp3").write_bytes(b"no sound at all" * 100)
    output = tmp_path / "index.npz"
    monkeypatch.setattr(sys, "argv", ["esc", "index", str(folder), "-o", str(output)])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code == 1
    assert "broken.mp3 can't be read as sound" in said.err
    assert "quiet.wav is silent: there is nothing" in said.err
    assert f"wrote {output} (2 sounds)" in said.out
    loaded = SoundIndex.load(output, classifier)
    assert [path.name for path in loaded.paths] == ["rain.flac", "siren.flac"]
    nearest = loaded.nearest(classifier.embedding(*load_audio(folder / "siren.flac")), k=1)[0]
    assert nearest.path == folder / "siren.flac" and nearest.same


def test_index_command_without_sounds(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["esc", "index", str(tmp_path), "-o", str(tmp_path / "index.npz")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert "no sound files" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_decoder_crash_costs_one_file(classifier, monkeypatch):
    def stumble(*_):
        raise IndexError("tuple index out of range")

    monkeypatch.setattr("esc.classification.similarity.open_audio", stumble)
    index, (error,) = SoundIndex.of_files(classifier, [Path("odd.wav")])
    assert isinstance(error, AudioError) and "IndexError" in str(error)
    assert index.embeddings.shape == (0, 512)
    assert index.nearest(np.ones(512, np.float32)) == []


@pytest.mark.data
def test_similarity_within_recordings_and_classes(classifier, data_dir):
    """On fold 5, which the network never saw; ESC-50 cuts some recordings into several clips and keeps them in one fold."""
    fold = [clip for clip in read_clips(data_dir) if clip.fold == 5]
    clips = [clip for number, clip in enumerate(fold) if number % 10 == 0 or clip.target < 4]
    embeddings = np.stack([classifier.embedding(*load_audio(clip.path)) for clip in clips])
    similarities = cosine_similarity(embeddings)
    classes, sources = np.array([clip.target for clip in clips]), np.array([clip.source for clip in clips])
    pairs = ~np.eye(len(clips), dtype=bool)
    same_class = (classes[:, None] == classes) & pairs
    same_source = (sources[:, None] == sources) & pairs
    assert same_source.any()
    assert similarities[same_source].mean() > similarities[same_class].mean() > similarities[pairs & ~same_class].mean() + 0.05


def test_embeddings_of_a_batch(classifier):
    waveform, rate = load_audio(example_sounds()["rain"])
    spectrogram_db = clip_mel_db(classifier.clip(waveform, rate), classifier.checkpoint.spectrogram)
    with torch.inference_mode():
        together = embed(classifier.model, classifier._scaled(torch.stack([spectrogram_db, spectrogram_db.flip(-1)])))
    np.testing.assert_allclose(together[0].numpy(), classifier.embedding(waveform, rate), atol=1e-5)
