"""Recipes, initial weights, optimizer steps, and a run against a loop written out."""

from __future__ import annotations

import dataclasses
import urllib.error

import numpy as np
import pytest
import torch
import torchvision
import typer
from torch import nn
from torch.nn.functional import cross_entropy, one_hot

import training.train as loop
from esc.classification.checkpoint import load_checkpoint
from esc.classification.reduced_precision import has_bfloat16
from esc.classification.resnet import ARCHITECTURES, build_model
from esc.config import NOTEBOOK
from esc.dsp.spectrogram import network_input
from esc.errors import DataError, ParameterError
from small_data import CLASSES, HELD_OUT, QUICK, outer
from training.augmentation import spectrogram
from training.augmentation.plan import draw
from training.cli.options import RecipeOptions
from training.engine.devices import precision
from training.engine.optim import build_optimizer, build_schedule
from training.engine.pretrained import initial_model
from training.engine.regularization import Regularization
from training.engine.state import State
from training.engine.step import take_step
from training.recipes import RECIPES, Architecture, RecipeName, recipe_name
from training.runs.run_dir import ESC_50, Origin, read_history, read_settings

RECIPE = RECIPES["notebook"]


def test_notebook_hyperparameters():
    published = dict(
        sample_rate=44100, n_fft=16384, win_length=3969, hop_length=308, n_mels=256, fmin=20, fmax=17000, top_db=80, db_ref=1
    )
    assert {name: RECIPE.spectrogram.to_dict()[name] for name in published} == published
    assert RECIPE.spectrogram is NOTEBOOK
    assert (NOTEBOOK.n_mels, NOTEBOOK.n_frames(5 * 44_100)) == (256, 716)
    assert (RECIPE.architecture, RECIPE.batch_size, RECIPE.epochs, RECIPE.learning_rate) == ("resnet18", 16, 50, 2e-4)
    assert (RECIPE.augmentation, RECIPE.ema_decay, RECIPE.label_smoothing, RECIPE.weight_decay) == (None, None, 0, 0)
    assert (RECIPE.initial_weights, RECIPE.first_layer, RECIPE.input.scaling) == ("imagenet", "fresh", "notebook")
    optimizer = build_optimizer(RECIPE, nn.Linear(2, 2))
    assert type(optimizer) is torch.optim.Adam
    assert {group["weight_decay"] for group in optimizer.param_groups} == {0}


def test_notebook_learning_rate():
    optimizer = build_optimizer(RECIPE, nn.Linear(2, 2))
    schedule = build_schedule(RECIPE, optimizer, 7)
    for epoch in range(1, 51):
        expected = 2e-4 / 10 ** (epoch // 10)  # the notebook, step 5
        for _ in range(7):
            assert optimizer.param_groups[0]["lr"] == pytest.approx(expected, rel=1e-12)
            optimizer.step()
            schedule.step()


@pytest.mark.parametrize("n_steps", [1, 2, 3, 4, 5, 9])
def test_one_cycle_of_few_steps(n_steps):
    """A rise of a quarter of four rates, or fewer, is one step: torch would divide by none."""
    recipe = dataclasses.replace(QUICK, epochs=1, warm_up=0.25)
    optimizer = build_optimizer(recipe, nn.Linear(2, 2))
    schedule = build_schedule(recipe, optimizer, n_steps)
    rates = []
    for _ in range(n_steps):
        optimizer.step()
        schedule.step()
        rates.append(optimizer.param_groups[0]["lr"])
    assert max(rates) <= recipe.learning_rate * (1 + 1e-9)
    assert rates[-1] == pytest.approx(recipe.learning_rate if n_steps == 1 else recipe.learning_rate / 25 / 1e4)


def test_notebook_input_scaling(rng):
    levels_db = (20 * rng.standard_normal((16, 30)) - 30).astype(np.float32)
    standard = (levels_db - levels_db.mean()) / (levels_db.std() + 1e-6)
    expected = (255 * (standard - standard.min()) / (standard.max() - standard.min())).astype(np.uint8)
    given = network_input(torch.from_numpy(levels_db)[None], RECIPE.input)[0].numpy()
    assert given.dtype == np.float32
    assert np.abs(given - expected).max() <= 1  # a value at the edge of two whole numbers may fall on either side
    assert (given == expected).mean() > 0.99


@pytest.fixture(scope="module")
def imagenet(tmp_path_factory):
    """A file as torchvision's for ResNet18, with other numbers in it."""
    torch.manual_seed(5)
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(torchvision.models.resnet18().state_dict(), path)
    return path


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_imagenet_weights_from_file(architecture, tmp_path):
    """The state dict of torchvision's network, of three channels and 1,000 classes, as `--weights` takes it."""
    torch.manual_seed(5)
    file = tmp_path / f"{architecture}.pth"
    torch.save(torchvision.models.get_model(architecture).state_dict(), file)
    theirs = torch.load(file)
    assert (theirs["conv1.weight"].shape, len(theirs["fc.bias"])) == ((64, 3, 7, 7), 1_000)
    recipe = RecipeOptions(RecipeName.NOTEBOOK, Architecture(architecture), weights=file).chosen()
    model, origin = initial_model(recipe, 50, file)
    ours = model.state_dict()
    same = {name for name in ours if ours[name].shape == theirs[name].shape and torch.equal(ours[name], theirs[name])}
    fresh = set(ours) - same
    assert fresh == {"conv1.weight", "fc.weight", "fc.bias"}
    assert model.conv1.weight.shape == (64, 1, 7, 7)
    assert float(model.conv1.weight.detach().abs().max()) <= 1 / 7  # nn.Conv2d's own bounds, 1 / sqrt(49)
    assert origin == f"ImageNet, from {architecture}.pth"
    summed, _ = initial_model(dataclasses.replace(recipe, first_layer="summed"), 50, file)
    torch.testing.assert_close(summed.conv1.weight.detach(), theirs["conv1.weight"].sum(1, keepdim=True))


def test_unusable_weights(imagenet, tmp_path):
    damaged = tmp_path / "damaged.pth"
    damaged.write_bytes(imagenet.read_bytes()[:1_000])
    other = tmp_path / "other.pth"
    torch.save({"a": torch.zeros(1)}, other)
    larger = dataclasses.replace(RECIPE, architecture="resnet50")
    for recipe, file in ((RECIPE, tmp_path / "none.pth"), (RECIPE, damaged), (RECIPE, other), (larger, imagenet)):
        with pytest.raises(DataError) as caught:
            initial_model(recipe, 50, file)
        assert caught.value.key == "weights.unreadable"
        assert str(file) in str(caught.value)


@pytest.fixture
def offline(monkeypatch):
    def no_network(*_, **__):
        raise urllib.error.URLError("no route")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", no_network)


@pytest.mark.slow
def test_unreachable_imagenet_weights(offline, data, cache, tmp_path, monkeypatch, run_command):
    """Without its weights the notebook's recipe does not run, unless fresh weights are asked for: another experiment."""
    with pytest.raises(DataError, match=r"no route.*--weights.*--fresh") as caught:
        initial_model(RECIPE, 50)
    assert caught.value.key == "weights.unreachable"
    small = dataclasses.replace(
        RECIPE, spectrogram=QUICK.spectrogram, epochs=1, input=dataclasses.replace(RECIPE.input, clip_seconds=0.5)
    )
    monkeypatch.setattr("training.cli.options.RECIPES", {"notebook": small})
    monkeypatch.chdir(tmp_path)
    command = ("train", "--recipe", "notebook", "--data", data, "--cache", cache)
    code, _, errors = run_command(*command)
    assert (code, "no route" in errors) == (2, True)
    assert not list(tmp_path.rglob("last.pt"))
    code, output, errors = run_command(*command, "--fresh")
    assert code == 0, errors
    assert f"runs/{data.name}-notebook-fresh-fold5-seed1/checkpoint" in output
    settings = read_settings(tmp_path / "runs" / f"{data.name}-notebook-fresh-fold5-seed1")
    assert (settings["initial_weights"], settings["recipe"]["initial_weights"]) == ("fresh", "fresh")
    assert recipe_name(dataclasses.replace(RECIPE, initial_weights="fresh").to_dict()) == "notebook-fresh"


@pytest.mark.parametrize("architecture", ["resnet18", "resnet34", "resnet50"])
def test_architecture_option(architecture):
    assert tuple(Architecture) == ARCHITECTURES
    options = RecipeOptions(RecipeName.NOTEBOOK, Architecture(architecture), 4)
    recipe = options.chosen()
    assert (recipe.architecture, recipe.sub_batch, recipe.batch_size) == (architecture, 4, 16)
    named = "notebook-fold5" if architecture == "resnet18" else f"notebook-{architecture}-fold5"
    assert options.run_name(ESC_50, "fold5") == named
    assert options.run_name(Origin("own, 3 files", folder="data/own"), "fold5") == f"own-{named}"
    fresh = dataclasses.replace(recipe, initial_weights="fresh")
    model, origin = initial_model(fresh, 7)
    assert (model.fc.out_features, origin) == (7, "fresh")


def test_precision_option_keeps_the_recipe():
    assert [RecipeOptions(RecipeName(name)).chosen().mixed_precision for name in ("best", "notebook")] == [True, False]
    options = RecipeOptions(RecipeName.NOTEBOOK, bfloat16=True), RecipeOptions(RecipeName.BEST, bfloat16=False)
    chosen = [option.chosen() for option in options]
    assert [recipe.mixed_precision for recipe in chosen] == [True, False]
    assert [recipe_name(recipe.to_dict()) for recipe in chosen] == ["notebook", "best"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("optimizer", "sgd"),
        ("schedule", "none"),
        ("sub_batch", 17),
        ("sub_batch", 5),
        ("sub_batch", 1),
        ("first_layer", 1),
        ("dropout", 1.0),
        ("drop_path", -0.1),
    ],
)
def test_invalid_recipe(field, value):
    with pytest.raises(ParameterError, match=field):
        dataclasses.replace(RECIPE, **{field: value})


def test_invalid_sub_batch_option():
    with pytest.raises(typer.BadParameter):
        RecipeOptions(RecipeName.NOTEBOOK, sub_batch=17).chosen()


@pytest.mark.slow
def test_loss_that_is_not_finite(prepared, tmp_path):
    recipe = dataclasses.replace(QUICK, learning_rate=1e30)
    with pytest.raises(DataError, match="after epoch 1 the loss is no number"):
        loop.train(prepared, outer(recipe, seed=3), tmp_path / "run")
    assert not (tmp_path / "run" / "checkpoint").exists()


def test_sub_batches_add_up_to_the_batch(rng):
    """Without batch statistics the step does not depend on the sub-batches."""
    batch = torch.from_numpy(rng.standard_normal((16, 1, 6, 5)).astype(np.float32))
    soft = one_hot(torch.from_numpy(rng.integers(0, 4, 16)), 4).float()
    after = []
    for sub_batch in (None, 4, 8):
        torch.manual_seed(1)
        recipe = dataclasses.replace(QUICK, sub_batch=sub_batch, ema_decay=None)
        model = nn.Sequential(nn.Flatten(), nn.Linear(30, 4))
        optimizer = build_optimizer(recipe, model)
        state = State(model, None, optimizer, build_schedule(recipe, optimizer, 5))
        loss, right = take_step(state, batch, soft, recipe)
        after.append((loss, right, model[1].weight.grad.clone()))
    for other in after[1:]:
        for ours, theirs in zip(after[0], other, strict=True):
            torch.testing.assert_close(ours, theirs)
    guesses = batch.flatten(1).numpy()
    torch.manual_seed(1)
    first = nn.Linear(30, 4)
    assert float(after[0][1]) == (first(torch.from_numpy(guesses)).argmax(1) == soft.argmax(1)).sum()


def test_batch_statistics_of_sub_batches(rng):
    batch = torch.from_numpy(rng.standard_normal((16, 1, 6, 5)).astype(np.float32)) * torch.arange(1.0, 17.0)[:, None, None, None]
    soft = one_hot(torch.from_numpy(rng.integers(0, 4, 16)), 4).float()
    recipe = dataclasses.replace(QUICK, sub_batch=4, ema_decay=None)
    norm = nn.BatchNorm2d(1)
    model = nn.Sequential(norm, nn.Flatten(), nn.Linear(30, 4))
    norm.running_mean.fill_(0.7)
    optimizer = build_optimizer(recipe, model)
    take_step(State(model, None, optimizer, build_schedule(recipe, optimizer, 5)), batch, soft, recipe)
    parts = batch.double().reshape(4, -1)
    torch.testing.assert_close(norm.running_mean.double(), (0.9 * 0.7 + 0.1 * parts.mean(dim=1)).mean()[None], atol=1e-5, rtol=0)
    torch.testing.assert_close(norm.running_var.double(), (0.9 + 0.1 * parts.var(dim=1)).mean()[None], atol=1e-4, rtol=1e-5)
    assert int(norm.num_batches_tracked) == 1


def test_dropout_and_stochastic_depth(rng):
    """Both keep the mean, follow their rates, depend on the generator only and are off in evaluation."""
    recipe = dataclasses.replace(QUICK, dropout=0.5, drop_path=0.4)
    torch.manual_seed(0)
    model = build_model("resnet18", 4)
    noise = Regularization(model, recipe)
    features, branches = noise.draw(4_000, torch.Generator().manual_seed(3))
    assert set(features.unique().tolist()) == {0.0, 2.0}
    assert float(features.mean()) == pytest.approx(1.0, abs=0.01)
    shares = (branches == 0).float().mean(dim=0)
    assert shares.tolist() == pytest.approx([0.4 * number / 8 for number in range(1, 9)], abs=0.03)
    assert branches.mean(dim=0).tolist() == pytest.approx([1.0] * 8, abs=0.05)
    images = torch.from_numpy(rng.standard_normal((3, 1, 32, 40)).astype(np.float32))
    plain = build_model("resnet18", 4)
    plain.load_state_dict(model.state_dict())
    with torch.inference_mode():
        assert torch.equal(model.eval()(images), plain.eval()(images))
        model.train()
        model.layer4[1].bn2.eval()  # without stochastic depth of the last branch
        noise.use((torch.zeros(3, 512), torch.ones(3, 8)), torch.arange(3), images.device)
        torch.testing.assert_close(model(images), model.fc.bias.expand(3, -1))  # without features only the bias remains
        model.train()
        seen = {}
        model.layer1[0].register_forward_hook(lambda block, given, answer: seen.update(given=given[0], answer=answer))
        noise.use((torch.ones(3, 512), torch.tensor([0.0] + [1.0] * 7).expand(3, -1)), torch.arange(3), images.device)
        model(images)
    assert torch.equal(seen["answer"], seen["given"].relu()), "a block without its branch returns its input"


@pytest.mark.slow
def test_run_equals_the_loop_written_out(prepared, tmp_path):
    """AdamW, one-cycle, augmentation and moving average, to the last bit."""
    recipe = dataclasses.replace(QUICK, epochs=2)
    loop.train(prepared, outer(recipe, seed=3), tmp_path)
    ours = torch.load(tmp_path / "last.pt", weights_only=True)

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    chosen = prepared.folds != HELD_OUT
    arrays = (prepared.spectrograms_db, prepared.targets)
    images, targets = (torch.from_numpy(np.array(part[chosen])).to(device) for part in arrays)
    torch.manual_seed(3)
    model = build_model("resnet18", len(CLASSES)).to(device, memory_format=torch.channels_last)
    ema = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    groups = [{"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": 0.01},
              {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0}]  # fmt: skip
    optimizer = torch.optim.AdamW(groups, lr=2e-3, fused=True)
    steps = len(images) // 16
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=2e-3, total_steps=2 * steps + 1, pct_start=0.2, cycle_momentum=False
    )
    for epoch in range(2):
        rng = torch.Generator().manual_seed(3 * 100_003 + epoch)
        for index in torch.randperm(len(images), generator=rng).to(device).split(16)[:steps]:
            plan, soft = draw(QUICK.augmentation, 16, rng), one_hot(targets[index], 4).float()
            _ = torch.rand(16, 0, generator=rng)  # neither dropout nor stochastic depth
            batch = spectrogram.mixup(
                spectrogram.shift_time(images[index], plan), torch.arange(16), plan.partner, plan.ratio, QUICK.spectrogram
            )
            soft = plan.ratio[:, None] * soft + (1 - plan.ratio[:, None]) * soft[plan.partner]
            batch = network_input(spectrogram.tilt(spectrogram.shift_bands(batch, plan), plan), QUICK.input)
            batch = spectrogram.mask(batch, plan)[:, None].to(memory_format=torch.channels_last)
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=has_bfloat16(device)):
                logits = model.train()(batch)
            loss = cross_entropy(logits.float(), soft, label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            decay = min(0.9, (1 + schedule.last_epoch) / (10 + schedule.last_epoch))
            for name, tensor in model.state_dict().items():
                if tensor.is_floating_point():
                    ema[name].lerp_(tensor, 1 - decay)
    for name, tensor in model.state_dict().items():
        assert torch.equal(ours["model"][name], tensor), name
        if tensor.is_floating_point():
            assert torch.equal(ours["ema"][name], ema[name]), name


@pytest.mark.slow
def test_resume_notebook_recipe(prepared, imagenet, tmp_path, monkeypatch):
    """On small spectrograms: the last weights are kept, and a kill changes nothing."""
    recipe = dataclasses.replace(RECIPE, spectrogram=QUICK.spectrogram, epochs=2,
                                 input=dataclasses.replace(RECIPE.input, clip_seconds=0.5))  # fmt: skip
    loop.train(prepared, outer(recipe), tmp_path / "whole", weights=imagenet)
    save = State.save

    def kill(state, path):
        if state.epoch == 2:
            raise KeyboardInterrupt
        save(state, path)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(State, "save", kill)
        loop.train(prepared, outer(recipe), tmp_path / "killed", weights=imagenet)
    loop.train(prepared, outer(recipe), tmp_path / "killed")  # without the weights' file
    whole, killed = (torch.load(tmp_path / name / "last.pt", weights_only=True) for name in ("whole", "killed"))
    assert whole["ema"] is None
    assert all(torch.equal(whole["model"][name], killed["model"][name]) for name in whole["model"])
    _, meta = load_checkpoint(tmp_path / "killed" / "checkpoint")
    assert meta.provenance["initial_weights"] == "ImageNet, from resnet18.pth"
    assert read_settings(tmp_path / "killed")["initial_weights"] == "ImageNet, from resnet18.pth"
    rows = read_history(tmp_path / "killed")
    assert [(row["epoch"], row["learning_rate"]) for row in rows] == [(1, 2e-4), (2, 2e-4)]
    assert "resuming after epoch 1 of 2" in (tmp_path / "killed" / "log.txt").read_text()


@pytest.mark.parametrize(
    ("instructions", "mixed", "expected"),
    [
        ({"avx512_bf16": True}, True, torch.bfloat16),
        ({"avx512_bf16": False, "amx_bf16": True}, True, torch.bfloat16),
        ({"avx512_bf16": True}, False, torch.float32),
        ({"avx512_f": True, "avx512_bf16": False}, True, torch.float32),  # emulated at an eighth of the speed
        ({}, True, torch.float32),
    ],
)
def test_bfloat16_on_a_cpu(monkeypatch, instructions, mixed, expected):
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: instructions)
    assert precision(torch.device("cpu"), mixed, 32) is expected
    assert precision(torch.device("cpu"), mixed, 31) is torch.float32, "too narrow for oneDNN"


@pytest.mark.slow
def test_precision_of_a_run(prepared, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "training.engine.state.precision", lambda device, mixed, n_frames: torch.bfloat16 if mixed else torch.float32
    )
    seen = []
    monkeypatch.setattr(
        "training.engine.step.cross_entropy",
        lambda logits, *rest, **more: (seen.append(logits), cross_entropy(logits, *rest, **more))[1],
    )
    for mixed, dtype in ((True, "bfloat16"), (False, "float32")):
        recipe = dataclasses.replace(QUICK, epochs=1, mixed_precision=mixed)
        loop.train(prepared, outer(recipe), tmp_path / dtype)
        assert f"{dtype} on " in (tmp_path / dtype / "log.txt").read_text()
        model, meta = load_checkpoint(tmp_path / dtype / "checkpoint")
        assert meta.provenance["precision"] == dtype
        assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
        assert {logits.dtype for logits in seen} == {torch.float32}, "the loss is never computed in bfloat16"
        rounded = [bool((logits.bfloat16().float() == logits).all()) for logits in seen]
        assert rounded == [mixed] * len(seen)
        seen.clear()
