"""The teach tab's server side: ZIP files from elsewhere, sounds in two classes, owners, the network in use."""

from __future__ import annotations

import gc
import io
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import load_file, save_file

import sounds
from esc.classification.checkpoint_files.config import read_config
from esc.classification.classifier import Classifier
from esc.classification.teaching import backbone
from esc.classification.teaching.archive import pack, unpack
from esc.errors import CheckpointError, DataError, EscError, PageError
from esc.paths import DEFAULT_CHECKPOINT
from esc.ui.server.requests import checked
from esc.ui.sessions.sound import Session
from esc.ui.tabs.base import Services
from esc.ui.tabs.classify import ClassifyTab
from esc.ui.tabs.teach import TeachTab

RATE = 22_050


def ask(method: Callable[..., dict], request: dict) -> dict:
    """Return the reply to a request as the page sends it."""
    return method(checked(method, request))


@pytest.fixture
def tab(tmp_path) -> TeachTab:
    (tmp_path / "up").mkdir()
    return TeachTab(Services.create(tmp_path / "app", tmp_path / "up", DEFAULT_CHECKPOINT))


@pytest.fixture
def session(tab) -> Session:
    return tab.store.new_session("en")


def add(tab: TeachTab, session: Session, path: Path) -> list[dict]:
    """Return what the tab says of an upload."""
    upload = shutil.copy(path, tab.services.handlers._upload_folder / path.name)
    return ask(tab.add_example, {"token": session.token, "path": str(upload), "name": path.name})["examples"]


def make_sounds(folder: Path, count: int = 3) -> dict[str, list[Path]]:
    """Write some tones and some noise."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(2)
    made = {"tone": lambda n: sounds.tone(500.0 + 60 * n, 0.5, RATE), "hiss": lambda n: 0.2 * rng.standard_normal(RATE // 2)}
    return {
        label: [sounds.write(folder / f"{label}{n}.wav", wave(n), RATE) for n in range(count)] for label, wave in made.items()
    }


def run(tab: TeachTab, session: Session, examples: list[tuple[str, str]], turn: int = 1) -> list[dict]:
    listed = [{"id": example_id, "label": label} for example_id, label in examples]
    return list(tab.replies({"token": session.token, "turn": turn, "examples": listed}))


@pytest.mark.slow
def test_teach_use_and_forget(tab, tmp_path, monkeypatch):
    monkeypatch.setattr(backbone, "_PER_KIND", 2)  # fewer synthetic sounds, for speed
    session = tab.store.new_session("en")  # held by nobody else
    made = make_sounds(tmp_path / "made")
    examples = [(add(tab, session, path)[0]["id"], label) for label, paths in made.items() for path in paths]
    silent = add(tab, session, sounds.write(tmp_path / "silent.wav", np.zeros(RATE), RATE))[0]["id"]
    copy = add(tab, session, made["tone"][0])[0]["id"]
    done = run(tab, session, [*examples, (silent, "tone"), (copy, "tone")])[-1]
    assert done["stage"] == "done"
    assert done["figures"]["examples"] == 6, "a copy counts once, silence not at all"
    assert "silent.wav is silent" in done["refused"][silent]
    classify = ClassifyTab(tab.services)
    own, other = classify.checkpoint_of(checked(tab.network_file, {"token": session.token})), tab.store.new_session("en")
    assert read_config(own).class_names == ("tone", "hiss")
    assert classify.checkpoint_of(checked(tab.network_file, {"token": other.token})) == DEFAULT_CHECKPOINT
    with pytest.raises(PageError):
        ask(tab.network_file, {"token": other.token})
    ask(tab.use_network, {"token": session.token, "choice": "both"})
    assert classify.checkpoints_of(checked(tab.network_file, {"token": session.token})) == (own, DEFAULT_CHECKPOINT)
    ask(tab.use_network, {"token": session.token, "choice": "app"})
    assert classify.checkpoint_of(checked(tab.network_file, {"token": session.token})) == DEFAULT_CHECKPOINT
    twice = run(tab, session, [*examples, (copy, "hiss")], 2)[-1]
    assert twice["key"] == "own.twice"
    assert run(tab, session, examples[:5], 3)[-1]["key"] == "teach.few"
    assert run(tab, other, examples, 4)[-1]["key"] == "page.gone"
    folders = list(own.parent.iterdir())
    assert len(folders) == 1
    tab.store.drop(session.token)
    del session
    gc.collect()
    assert not list(own.parent.iterdir()), "a network is deleted with its session"


def test_selection_of_the_open_sound(tab, session, tmp_path):
    path = sounds.write(tmp_path / "up" / "a.wav", sounds.tone(500.0, 2.0, RATE), RATE)
    sound = tab.store.open(session.token, path, "a.wav")
    request = {"token": session.token, "sound": sound.id, "start": 0.5, "end": 1.25}
    (one,) = ask(tab.add_selection, request)["examples"]
    kept = tab.services.examples.get(session, one["id"])
    samples, rate = soundfile.read(kept.path, dtype="float32")
    np.testing.assert_array_equal(samples, sound.waveform[round(0.5 * rate) : round(1.25 * rate)])
    ask(tab.remove_examples, {"token": session.token, "ids": [one["id"], "nothing"]})
    assert not kept.path.exists()


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_zip_of_examples(tab, session, tmp_path):
    wav = sounds.write(tmp_path / "x.wav", sounds.tone(500.0, 0.3, RATE), RATE).read_bytes()
    good = {
        "all/knock/1.wav": wav,
        "all/knock/2.wav": wav,
        "all/dog/1.wav": wav,
        "all/notes.txt": b"x",
        "__MACOSX/all/._1.wav": b"",
    }
    found = add(tab, session, zipped(tmp_path / "good.zip", good))
    assert [(one["label"], one["name"]) for one in found] == [("knock", "1.wav"), ("knock", "2.wav"), ("dog", "1.wav")]
    bad = {"../evil/1.wav": wav}, {"1.wav": wav}, {"a/notes.txt": b""}
    for number, files in enumerate(bad):
        with pytest.raises(DataError) as raised:
            add(tab, session, zipped(tmp_path / f"bad{number}.zip", files))
        assert raised.value.key == "teach.zip"
    (tmp_path / "no.zip").write_bytes(b"PK and no more")
    with pytest.raises(DataError):
        add(tab, session, tmp_path / "no.zip")


@pytest.fixture(scope="module")
def packed(tmp_path_factory) -> dict[str, bytes]:
    """The files in a ZIP of the shipped network."""
    path = tmp_path_factory.mktemp("packed") / "net.zip"
    pack(DEFAULT_CHECKPOINT, path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.slow
def test_damaged_zip_leaves_no_examples(tab, session, tmp_path, monkeypatch):
    """What was unpacked before the damage would count among the files of a page that never learns its ids."""
    monkeypatch.setattr("esc.ui.sessions.uploaded_files.MAX_FILES", 2)
    tone = sounds.write(tmp_path / "tone.wav", sounds.tone(440.0, 0.2, RATE), RATE).read_bytes()
    path = zipped(tmp_path / "late.zip", {"a/1.wav": tone, "a/2.wav": tone})
    content = bytearray(path.read_bytes())
    content[content.rindex(b"data", 0, content.rindex(b"PK\x01\x02") - 10) + 50] ^= 0xFF  # its check sum is wrong
    path.write_bytes(content)
    for _ in range(2):
        with pytest.raises(DataError) as raised:
            add(tab, session, path)
        assert raised.value.key == "teach.zip"
    assert len(add(tab, session, zipped(tmp_path / "good.zip", {"a/1.wav": tone, "a/2.wav": tone + b"\0\0"}))) == 2


def test_network_in_a_zip(packed, tmp_path):
    (tmp_path / "net").mkdir()
    loaded = unpack(
        zipped(tmp_path / "net.zip", {f"mine/{name}": content for name, content in packed.items()}), tmp_path / "net", "x"
    )
    theirs = Classifier.load(device="cpu")
    assert all((one == loaded.model.state_dict()[name]).all() for name, one in theirs.model.state_dict().items())


SHARD = "model-00001-of-00004.safetensors"


def other_shape(content: bytes, folder: Path) -> bytes:
    (folder / "shard").write_bytes(content)
    tensors = load_file(folder / "shard")
    name = next(name for name, tensor in tensors.items() if tensor.ndim)
    save_file(tensors | {name: tensors[name][:1].clone()}, folder / "shard")
    return (folder / "shard").read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        lambda files, folder: files | {"../up.json": b"{}"},
        lambda files, folder: files | {"/etc/config.json": b"{}"},
        lambda files, folder: files | {"run.py": b"print()"},
        lambda files, folder: files | {"deep/er/config.json": b"{}"},
        lambda files, folder: files | {SHARD: pickle.dumps([1, 2, 3])},
        lambda files, folder: files | {SHARD: files[SHARD][:-1] + b"x"},
        lambda files, folder: files | {SHARD: other_shape(files[SHARD], folder)},
        lambda files, folder: files | {"config.json": b'{"format": 1'},
        lambda files, folder: files | {"config.json": files["config.json"].replace(b'"resnet18"', b'"resnet50"')},
        lambda files, folder: {name: content for name, content in files.items() if name != "config.json"},
        lambda files, folder: {name: content for name, content in files.items() if name != "ood_detector.safetensors"},
        lambda files, folder: files | {"figures.json": b"[]"},
        lambda files, folder: {},
    ],
)
def test_zip_from_elsewhere(packed, tab, session, tmp_path, change):
    path = zipped(tmp_path / "up" / "net.zip", change(dict(packed), tmp_path))
    with pytest.raises(CheckpointError) as raised:
        ask(tab.load_network, {"token": session.token, "path": str(path), "name": "net.zip"})
    assert raised.value.key == "checkpoint.archive"
    assert str(tmp_path) not in str(raised.value), "no path of the server"
    assert tab.services.taught.own(session) is None
    assert not list((tmp_path / "app" / "taught").iterdir())
    assert not (tmp_path / "app" / "up.json").exists()


def test_zip_that_grows(tab, session, tmp_path, monkeypatch):
    """Its size is counted while it is unpacked, whatever it states."""
    monkeypatch.setattr("esc.classification.checkpoint_files.archive.MAX_BYTES", 10**6)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.md", bytes(5 * 10**6))
    (tmp_path / "up" / "big.zip").write_bytes(buffer.getvalue())
    with pytest.raises(EscError, match="more than 1 MB"):
        ask(tab.load_network, {"token": session.token, "path": str(tmp_path / "up" / "big.zip"), "name": "big.zip"})


def test_zip_as_a_checkpoint(packed, tmp_path):
    """Wherever a folder is legal, its ZIP is; one that is replaced is read anew."""
    path = zipped(tmp_path / "net.zip", packed)
    theirs, ours = Classifier.load(), Classifier.load(path)
    assert ours.checkpoint == read_config(path) == theirs.checkpoint
    assert ours.detector is not None and theirs.detector is not None
    assert all(torch.equal(tensor, ours.model.state_dict()[name]) for name, tensor in theirs.model.state_dict().items())
    zipped(path, packed | {"evil.py": b""})
    with pytest.raises(CheckpointError, match=r"net\.zip can't be used as a network: evil.py is no file"):
        Classifier.load(path)
    path.write_bytes(b"no ZIP")
    with pytest.raises(CheckpointError, match=r"net\.zip can't be used"):
        read_config(path)
