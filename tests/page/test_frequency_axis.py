"""The browser's frequency axes, run by the Node that Playwright brings, against librosa and published values."""

import json
import subprocess
from pathlib import Path

import librosa
import numpy as np
import pytest
from playwright._impl._driver import compute_driver_executable

AXES = Path(__file__).resolve().parents[2] / "assets" / "js" / "lib" / "frequency_axis.js"


def in_node(expression):
    """Return what a JavaScript expression gives; `axes` is the module."""
    node = Path(compute_driver_executable()[0])
    code = f"import({json.dumps(AXES.as_uri())}).then((axes) => console.log(JSON.stringify({expression})))"
    ended = subprocess.run([node, "--input-type=module", "-e", code], capture_output=True, text=True, timeout=60, check=True)
    return json.loads(ended.stdout)


# the upper edges of the critical bands 1 to 24 (Zwicker 1961), which the formula approximates
ZWICKER_HZ = [100, 200, 300, 400, 510, 630, 770, 920, 1080, 1270, 1480, 1720, 2000, 2320, 2700, 3150, 3700, 4400, 5300,
              6400, 7700, 9500, 12000, 15500]  # fmt: skip


def test_bark_scale():
    barks = in_node(f"{ZWICKER_HZ}.map(axes.hzToBark)")
    np.testing.assert_allclose(barks, np.arange(1, 25), atol=0.15)
    hz = np.array([500.0, 1000.0, 4000.0])  # between the corrections the formula stands alone
    np.testing.assert_allclose(in_node(f"{hz.tolist()}.map(axes.hzToBark)"), 26.81 * hz / (1960 + hz) - 0.53)


@pytest.mark.parametrize("kind", ["mel", "linear", "log", "bark"])
def test_frequency_axis_inverse(kind):
    made = in_node(
        f"""(() => {{ const axis = axes.frequencyAxis('{kind}', 0, 22050, 'slaney');
            const hz = Array.from({{ length: 441 }}, (_, i) => 20 + 50 * i);
            return {{ shares: hz.map(axis.share), back: hz.map((h) => axis.hz(axis.share(h))), hz,
                ticks: axes.frequencyTicks(axis, '{kind}', 0.05).map((h) => [h, axis.share(h)]) }}; }})()"""
    )
    shares, hz = np.array(made["shares"]), np.array(made["hz"])
    np.testing.assert_allclose(made["back"], hz, rtol=1e-9)
    assert np.all(np.diff(shares) > 0)
    assert shares.min() >= 0
    assert shares.max() <= 1 + 1e-9
    if kind == "mel":
        np.testing.assert_allclose(shares, librosa.hz_to_mel(hz) / librosa.hz_to_mel(22_050), rtol=1e-9)
    ticks = np.array(made["ticks"])
    assert len(ticks) >= 5
    assert np.all(np.diff(ticks[:, 1]) >= 0.05)
    if kind == "bark":
        assert {0, 1000, 10000} <= set(ticks[:, 0])
