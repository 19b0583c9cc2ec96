"""The decoding worker, against files that soundfile and PyAV write and samples that soundfile reads."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from esc.audio import sandbox
from esc.audio.excerpt import write_excerpt_in_worker
from esc.audio.facts import Reading
from esc.audio.fork_server import SUPPORTED, ForkServer
from esc.audio.io import load_audio, open_audio
from esc.audio.sandbox import EXIT_DISK_FULL, EXIT_FILE_ERROR, reply, run_in_worker, start_fork_server
from esc.audio.transcode import Decoded, channels_path, decode, decode_in_worker, main, write_slowed
from esc.audio.waveform import is_silent
from esc.errors import AudioError

HOUSE = Path(__file__).resolve().parents[2]
RATE = 22_050


@pytest.fixture
def noise():
    return np.random.default_rng(0).uniform(-0.5, 0.5, (RATE, 2)).astype(np.float32)


def write_av(path, codec, container, samples, rate):
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray((samples[None] * 32767).astype(np.int16), format="s16", layout="mono")
        frame.sample_rate = rate
        to_codec = av.AudioResampler(stream.format, "mono", rate, frame_size=stream.codec_context.frame_size)
        for part in [*to_codec.resample(frame), *to_codec.resample(None)]:
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))


def test_worker_writes_what_soundfile_reads(tmp_path, noise, capfd):
    source, target = tmp_path / "stereo.wav", tmp_path / "out.f32"
    soundfile.write(source, noise, RATE, "PCM_24")
    expected = soundfile.read(source, dtype="float64")[0].mean(axis=1)
    assert main([str(source), str(target), "--playable", str(tmp_path / "copy.flac")]) == 0
    facts = json.loads(capfd.readouterr().out)
    decoded = np.fromfile(target, np.float32)
    np.testing.assert_allclose(decoded, expected, atol=1e-7)
    assert facts["rms"] == pytest.approx(np.sqrt(np.mean(expected**2)), rel=1e-6)
    assert facts["peak"] == pytest.approx(np.abs(noise).max(), abs=1e-6)
    np.testing.assert_allclose(facts["channel_rms"], np.sqrt(np.mean(np.square(noise, dtype=float), axis=0)), rtol=1e-6)
    drawn = np.fromfile(channels_path(target), np.float16).reshape(-1, 2)
    np.testing.assert_allclose(drawn, noise, atol=3e-4)
    del facts["rms"], facts["peak"], facts["channel_rms"]
    assert facts == {
        "sample_rate": RATE, "channels": 2, "container": "wav", "codec": "pcm_s24le", "n_samples": RATE,
        "notes": [], "silent": False, "metadata": {}, "copied": False, "channel": "mean", "full_scale": 1.0,
        "time_expansion": 1.0,
        "tracks": 1, "default_track": 1,
    }  # fmt: skip
    assert not (tmp_path / "copy.flac").exists()


@pytest.mark.parametrize(
    ("file", "subtype", "copied"),
    [
        ("a.wav", "PCM_U8", False), ("a.wav", "PCM_16", False), ("a.wav", "PCM_32", False), ("a.wav", "FLOAT", False),
        ("a.wav", "ALAW", True), ("a.wav", "DOUBLE", True), ("a.flac", "PCM_24", False), ("a.mp3", None, True),
        ("a.aiff", "PCM_16", True), ("a.ogg", "VORBIS", True), ("a.ogg", "OPUS", True), ("a.au", "PCM_16", True),
    ],
)  # fmt: skip
def test_copies_what_browsers_may_refuse(tmp_path, noise, file, subtype, copied):
    source, copy = tmp_path / file, tmp_path / "copy.flac"
    soundfile.write(source, np.tile(noise, (3, 1)), 48_000 if subtype == "OPUS" else RATE, subtype)
    assert decode(source, tmp_path / "out.f32", copy).copied is copied
    assert copy.exists() is copied
    if copied:
        facts = soundfile.info(copy)
        assert (facts.format, facts.subtype, facts.channels) == ("FLAC", "PCM_16", 2)
        original = soundfile.read(source, dtype="float32")[0]
        np.testing.assert_allclose(soundfile.read(copy, dtype="float32")[0], original.clip(-1, 1), atol=1.1 / 32768)


@pytest.mark.parametrize(
    ("rate", "expansion", "hz", "slow_rate"),
    [
        (384_000, 1, 40_000, 38_400), (768_000, 1, 120_000, 76_800), (44_100, 10, 4_000, 44_100), (44_100, 1, 2_000, 8_000),
        (38_400, 20, 6_000, 76_800),
    ],
)  # fmt: skip
def test_slowed_copy_for_browsers(tmp_path, rate, expansion, hz, slow_rate):
    """A tone of a bat, recorded directly or by time expansion, is at a tenth of its frequency, and every sample is kept."""
    source, copy = tmp_path / "bat.wav", tmp_path / "slowed.flac"
    samples = np.stack([0.5 * np.sin(2 * np.pi * hz * np.arange(rate // 4) / rate)] * 2, axis=1)
    soundfile.write(source, samples, rate, "PCM_16")
    write_slowed(source, copy, how=Reading(time_expansion=expansion))
    played, played_rate = soundfile.read(copy, dtype="float32")
    assert played_rate == slow_rate
    assert len(played) / played_rate == pytest.approx(10 * 0.25 / expansion, abs=1e-3)
    spectrum = np.abs(np.fft.rfft(played[:, 0] * np.hanning(len(played))))
    assert spectrum.argmax() * played_rate / len(played) == pytest.approx(hz * expansion / 10, abs=2)
    if slow_rate > 8_000:
        np.testing.assert_array_equal(played, soundfile.read(source, dtype="float32")[0])


def test_too_long_to_be_slowed(tmp_path, noise, monkeypatch):
    soundfile.write(tmp_path / "a.wav", noise, RATE)
    monkeypatch.setattr("esc.audio.transcode.MAX_SLOWED_BYTES", 200_000)
    with pytest.raises(AudioError, match="too long to play at a tenth"):
        write_slowed(tmp_path / "a.wav", tmp_path / "a.flac")


def test_wrong_suffix_gets_a_copy(tmp_path, noise):
    source = tmp_path / "really_a_wav.webm"  # a server would name its type by the ending
    soundfile.write(source, noise, RATE, "PCM_16", format="WAV")
    assert decode(source, tmp_path / "out.f32", tmp_path / "copy.flac").copied


@pytest.mark.parametrize(
    ("file", "codec", "container", "copied"),
    [("a.m4a", "aac", "ipod", False), ("a.webm", "libopus", "webm", True), ("a.m4a", "alac", "ipod", True)],
)
def test_ffmpeg_formats(tmp_path, file, codec, container, copied):
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)
    write_av(tmp_path / file, codec, container, tone, 48_000)
    facts = decode(tmp_path / file, tmp_path / "out.f32", tmp_path / "copy.flac")
    assert facts.copied is copied
    assert facts.n_samples == pytest.approx(48_000, abs=2_100)
    spectrum = np.abs(np.fft.rfft(np.fromfile(tmp_path / "out.f32", np.float32), 48_000))
    assert spectrum.argmax() == 440
    if copied:
        assert soundfile.info(tmp_path / "copy.flac").frames == facts.n_samples


def test_more_than_two_channels_are_copied_as_their_mean(tmp_path):
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, (5_000, 6))
    soundfile.write(tmp_path / "six.aiff", samples, 44_100, "PCM_16")
    facts = decode(tmp_path / "six.aiff", tmp_path / "out.f32", tmp_path / "copy.flac")
    assert (facts.channels, soundfile.info(tmp_path / "copy.flac").channels) == (6, 1)
    np.testing.assert_allclose(soundfile.read(tmp_path / "copy.flac")[0], samples.mean(axis=1), atol=2 / 32768)


def test_copy_clips_and_takes_a_rate_that_flac_cannot_name(tmp_path):
    samples = np.array([0.0, 2.0, -2.0, 0.25] * 1_000)
    soundfile.write(tmp_path / "loud.aiff", samples, 96_001, "FLOAT")
    facts = decode(tmp_path / "loud.aiff", tmp_path / "out.f32", tmp_path / "copy.flac")
    copy, rate = soundfile.read(tmp_path / "copy.flac")
    assert (facts.sample_rate, facts.peak, rate) == (96_001, 2.0, 96_000)
    np.testing.assert_allclose(copy[:4], [0.0, 1.0, -1.0, 0.25], atol=1 / 32768)


@pytest.mark.parametrize("level", [0.0, 0.9e-4, 1.1e-4])
@pytest.mark.parametrize("offset", [0.0, 0.3])
def test_silent_equals_is_silent(tmp_path, level, offset):
    samples = np.full(600_000, offset)  # three blocks
    samples[400_000] += level
    soundfile.write(tmp_path / "quiet.wav", samples, 44_100, "FLOAT")
    facts = decode(tmp_path / "quiet.wav", tmp_path / "out.f32")
    assert facts.silent is is_silent(load_audio(tmp_path / "quiet.wav")[0]) is (level < 1e-4)


def test_facts_of_open_audio_agree(tmp_path, noise):
    soundfile.write(tmp_path / "a.wav", noise, RATE)
    facts, blocks = open_audio(tmp_path / "a.wav")
    for _ in blocks:
        pass
    decoded = decode(tmp_path / "a.wav", tmp_path / "out.f32")
    assert {name: getattr(facts, name) for name in vars(decoded) if name != "copied"}.items() <= vars(decoded).items()


def test_an_hour_needs_no_more_memory_than_a_moment(tmp_path):
    if not Path("/proc/self/status").exists():
        pytest.skip("needs Linux's own account of memory")
    hour = np.tile(np.random.default_rng(2).integers(-9_000, 9_000, 8_000, np.int16), 3_600)
    soundfile.write(tmp_path / "hour.wav", hour, 8_000, "PCM_16")
    script = """
import sys
from pathlib import Path
import av, esc.audio.decoders.ffmpeg
from esc.audio.transcode import main
def high_water_mb():  # unlike ru_maxrss, not inherited from whoever started this process
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
before = high_water_mb()
code = main(sys.argv[1:])
print(high_water_mb() - before)
sys.exit(code)
"""
    command = [sys.executable, "-c", script, str(tmp_path / "hour.wav"), str(tmp_path / "out.f32")]
    lines = subprocess.run(command, cwd=HOUSE, capture_output=True, check=True).stdout.splitlines()
    assert json.loads(lines[0])["n_samples"] == 8_000 * 3_600
    assert float(lines[1]) < 30  # the waveform alone is 115 MB
    decoded = np.memmap(tmp_path / "out.f32", np.float32, mode="r")
    np.testing.assert_array_equal(decoded[-8_000:], hour[-8_000:] / np.float32(32_768))


def test_starting_the_worker_loads_no_network():
    script = "import sys, esc.audio.transcode; print([m for m in ('torch', 'gradio', 'av', 'scipy') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", script], cwd=HOUSE).strip() == b"[]"


def refusal(tmp_path, content, file="a.wav"):
    (tmp_path / file).write_bytes(content)
    with pytest.raises(AudioError) as refused:
        decode_in_worker(tmp_path / file, tmp_path / "out.f32", tmp_path / "copy.flac", "mine.wav", 30)
    return refused.value


def wav_of(samples, tmp_path):
    soundfile.write(tmp_path / "made.wav", samples, RATE, "FLOAT")
    return (tmp_path / "made.wav").read_bytes()


def test_worker_error_of_the_file(tmp_path):
    assert refusal(tmp_path, b"").key == "audio.empty"
    broken = refusal(tmp_path, b"this is no sound" * 100)
    assert (broken.key, broken.values["name"]) == ("audio.unreadable", "mine.wav")
    assert refusal(tmp_path, wav_of(np.full(100, np.nan), tmp_path)).key == "audio.not_finite"
    assert refusal(tmp_path, wav_of(np.zeros(1), tmp_path)).values["samples"] == 1


def test_refusal_is_one_line_of_json(tmp_path, capfd):
    assert main([str(tmp_path / "none.wav"), str(tmp_path / "out.f32"), "--name", "ветер.wav"]) == EXIT_FILE_ERROR
    assert json.loads(capfd.readouterr().out) == {"error": "audio.missing", "values": {"name": "ветер.wav"}}


def test_timeout(tmp_path, noise):
    soundfile.write(tmp_path / "a.wav", noise, RATE)
    with pytest.raises(AudioError) as stopped:
        decode_in_worker(tmp_path / "a.wav", tmp_path / "out.f32", tmp_path / "copy.flac", "mine.wav", 0.01)
    assert stopped.value.key == "audio.timeout"


def test_any_other_end_is_a_crash_and_logged(tmp_path, noise, caplog):
    soundfile.write(tmp_path / "a.wav", noise, RATE)
    with pytest.raises(AudioError) as crashed:
        decode_in_worker(tmp_path / "a.wav", tmp_path / "nowhere" / "out.f32", tmp_path / "copy.flac", "mine.wav", 30)
    assert crashed.value.key == "audio.crashed"
    assert "FileNotFoundError" in caplog.text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("full", ["waveform", "copy"])
def test_a_full_disk_is_not_the_files_fault(tmp_path, noise, full, caplog):
    source, device = tmp_path / "a.aiff", Path("/dev/full")
    soundfile.write(source, noise, RATE)
    target, copy = (device, tmp_path / "copy.flac") if full == "waveform" else (tmp_path / "out.f32", device)
    with pytest.raises(AudioError) as refused:
        decode_in_worker(source, target, copy, "mine.aiff", 30)
    assert (refused.value.key, refused.value.values) == ("audio.disk_full", {"name": "mine.aiff"})
    assert "No space left on device" in caplog.text
    with pytest.raises(AudioError) as refused:
        write_excerpt_in_worker(source, device, 0, RATE, "mine.aiff", 30)
    assert refused.value.key == "audio.disk_full"


@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, EXIT_DISK_FULL), (errno.EDQUOT, EXIT_DISK_FULL), (errno.EIO, None)])
def test_a_quota_is_a_full_disk_and_a_broken_one_is_not(number, code):
    def work():
        raise OSError(number, os.strerror(number))

    if code is None:
        with pytest.raises(OSError, match=os.strerror(number)):
            reply(work)
    else:
        assert reply(work) == code


def test_memory_is_limited_in_the_worker():
    pytest.importorskip("resource")
    script = "import esc.audio.sandbox, numpy; esc.audio.sandbox.limit_memory(); numpy.empty(5 * 2**30, numpy.uint8)"
    ended = subprocess.run([sys.executable, "-c", script], cwd=HOUSE, capture_output=True)
    assert ended.returncode == 1
    assert b"MemoryError" in ended.stderr


@pytest.fixture
def fork_server(monkeypatch) -> Iterator[ForkServer]:
    if not SUPPORTED:
        pytest.skip("there is no fork server here")
    monkeypatch.setattr(sandbox, "_fork_server", None)
    start_fork_server()
    yield sandbox._fork_server
    sandbox._fork_server._stop()


def test_jobs_of_the_fork_server(tmp_path, noise, fork_server):
    """Each job has a process of its own; a killed fork server is replaced, and none outlives its server."""
    soundfile.write(tmp_path / "гроза\n1.wav", noise, RATE)
    files = tmp_path / "гроза\n1.wav", tmp_path / "out.f32", tmp_path / "copy.flac"
    first = fork_server._process
    with ThreadPoolExecutor(4) as pool:
        targets = [(tmp_path / f"{number}.f32", tmp_path / f"{number}.flac") for number in range(8)]
        found = list(pool.map(lambda target: decode_in_worker(files[0], *target, "\udcffone", 30), targets))
    assert [facts.seconds for facts in found] == [1.0] * 8
    np.testing.assert_array_equal(np.fromfile(targets[7][0], np.float32), np.fromfile(targets[0][0], np.float32))
    with pytest.raises(AudioError) as refused:
        decode_in_worker(tmp_path / "missing.wav", *files[1:], "three", 30)
    assert refused.value.key == "audio.missing"
    assert fork_server._process is first
    first.kill()
    assert decode_in_worker(*files, "two", 30).seconds == 1.0
    second = fork_server._process
    assert second is not first
    fork_server._control.close()  # as by the end of the server
    assert second.wait(timeout=30) == 0


def children_of(process: int) -> list[int]:
    return [int(number) for number in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def first_child_of(process: int) -> int:
    end = time.monotonic() + 30.0
    while not (found := children_of(process)):
        assert time.monotonic() < end
        time.sleep(0.001)
    return found[0]


def test_failures_in_the_fork_server(tmp_path, noise, fork_server, caplog):
    """A time-out, a crash and a wrong argument cost one job; each job's memory is limited."""
    soundfile.write(tmp_path / "long.wav", np.tile(noise, (600, 1)), RATE)
    files, parent = (tmp_path / "long.wav", tmp_path / "out.f32", tmp_path / "copy.flac"), fork_server._process.pid
    begun = time.monotonic()
    with pytest.raises(AudioError) as late:
        decode_in_worker(*files, "long", 0.2)
    assert late.value.key == "audio.timeout"
    assert time.monotonic() - begun < 5.0
    while children_of(parent):  # the job was killed, and will be reaped
        assert time.monotonic() - begun < 30.0
        time.sleep(0.01)
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(decode_in_worker, *files, "long", 30)
        child = first_child_of(parent)
        limits = Path(f"/proc/{child}/limits")
        while str(sandbox.MEMORY_LIMIT) not in limits.read_text():
            assert time.monotonic() - begun < 60.0
        os.kill(child, signal.SIGSEGV)
        with pytest.raises(AudioError) as crashed:
            job.result()
    assert crashed.value.values["reason"] == "signal 11"
    with pytest.raises(AudioError) as wrong:
        run_in_worker("esc.audio.excerpt", ["--no-such-option"], "odd", 30)
    assert wrong.value.values["reason"] == "exit code 2"
    assert "usage:" in caplog.text
    assert fork_server._process.pid == parent


def test_killed_fork_server_costs_no_job(tmp_path, noise, fork_server):
    soundfile.write(tmp_path / "long.wav", np.tile(noise, (600, 1)), RATE)
    parent = fork_server._process.pid
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(decode_in_worker, tmp_path / "long.wav", tmp_path / "out.f32", tmp_path / "copy.flac", "long", 60)
        child = first_child_of(parent)
        os.kill(parent, signal.SIGKILL)
        assert job.result().seconds == 600.0
    assert fork_server._process.pid != parent
    assert not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]


def test_job_after_its_time_does_not_begin(tmp_path, noise, fork_server):
    soundfile.write(tmp_path / "short.wav", noise, RATE)
    decode_in_worker(tmp_path / "short.wav", tmp_path / "a.f32", tmp_path / "a.flac", "first", 30)
    fork_server._process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(AudioError) as late:
            decode_in_worker(tmp_path / "short.wav", tmp_path / "b.f32", tmp_path / "b.flac", "late", 0.5)
    finally:
        fork_server._process.send_signal(signal.SIGCONT)
    assert late.value.key == "audio.timeout"
    decode_in_worker(tmp_path / "short.wav", tmp_path / "c.f32", tmp_path / "c.flac", "third", 30)
    assert not (tmp_path / "b.f32").exists()


@pytest.mark.skipif(not SUPPORTED, reason="there is no fork server here")
@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_fork_server_without_standard_streams(tmp_path, noise, closed):
    """As under a supervisor that closes them."""
    soundfile.write(tmp_path / "short.wav", noise, RATE)
    script = (
        "import sys; from pathlib import Path; from esc.audio import sandbox, transcode; sandbox.start_fork_server(); "
        "f = Path(sys.argv[1]); d = transcode.decode_in_worker(f / 'short.wav', f / 'a.f32', f / 'a.flac', 'x', 30); "
        "(f / 'found').write_text(str(d.seconds))"
    )
    command = ["sh", "-c", f'exec "$0" -c "$1" "$2" {closed}', sys.executable, script, str(tmp_path)]
    subprocess.run(command, cwd=HOUSE, check=True)
    assert (tmp_path / "found").read_text() == "1.0"


def test_worker_takes_odd_names(tmp_path, noise):
    source = tmp_path / "--playable=гроза 1.wav"
    soundfile.write(source, noise, RATE)
    facts = decode_in_worker(source, tmp_path / "out.f32", tmp_path / "copy.flac", "--name", 30)
    assert isinstance(facts, Decoded)
    assert facts.seconds == 1.0
