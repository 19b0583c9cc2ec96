"""The sounds of the open pages: limits, files that come and go, threads."""

import contextlib
import errno
import gc
import shutil
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import soxr

from esc.audio.resampling import resample
from esc.errors import AudioError, PageError, ParameterError
from esc.ui.server import open_sounds
from esc.ui.server.error_replies import RequestLog
from esc.ui.sessions import decoding
from esc.ui.sessions import sound_store as store_module
from esc.ui.sessions.sound import Lease, link_or_copy
from esc.ui.sessions.sound_store import SoundStore

RATE = 11_025


@pytest.fixture
def store(tmp_path):
    return SoundStore(tmp_path / "samples", tmp_path / "playable")


@pytest.fixture(autouse=True)
def one_second_is_long(monkeypatch):
    """Let sounds past 1 s be long ones, so that tests of the memory-mapped path stay quick."""
    monkeypatch.setattr(decoding, "MEMORY_SECONDS", 1.0)


def write(path, seconds, rate=RATE, seed=0):
    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, int(seconds * rate))
    soundfile.write(path, samples, rate, "PCM_16")
    return path


def files(tmp_path):
    return sorted([*(tmp_path / "samples").iterdir(), *(tmp_path / "playable").iterdir()])


def test_open_short_and_long(tmp_path, store):
    session = store.new_session("ru")
    for seconds in (0.8, 3.0):
        path = write(tmp_path / f"{seconds}.wav", seconds)
        sound = store.open(session.token, path, "rain.wav")
        np.testing.assert_array_equal(sound.waveform, soundfile.read(path, dtype="float32")[0])
        assert isinstance(sound.waveform, np.memmap) is (seconds > 1)
        assert (sound.name, sound.seconds) == ("rain.wav", seconds)
        assert sound.playable.samefile(path)  # a link: no copy, and it stays when the upload goes
        assert store.sound(session.token, sound.id) is sound
    assert len(list((tmp_path / "samples").iterdir())) == 1  # the short one lies in memory


def test_copy_lies_in_the_playable_folder(tmp_path, store):
    session = store.new_session("en")
    sound = store.open(session.token, write(tmp_path / "a.aiff", 0.5), "a.aiff")
    assert sound.facts.copied
    assert sound.playable.parent == tmp_path / "playable"
    assert soundfile.info(sound.playable).frames == sound.facts.n_samples


@pytest.mark.parametrize("token", ["", "x" * 32, None, 7, ["list"], b"bytes"])
def test_unknown_token(store, token):
    with pytest.raises(PageError) as refused:
        store.session(token)
    assert refused.value.key == "page.session"
    store.drop("never there")


@pytest.mark.parametrize("sound_id", ["", None, {}])
def test_unknown_sound(store, sound_id):
    with pytest.raises(PageError) as refused:
        store.sound(store.new_session("en").token, sound_id)
    assert refused.value.key == "page.gone"


def test_sounds_of_another_session_are_out_of_reach(tmp_path, store):
    mine, other = store.new_session("en"), store.new_session("en")
    sound = store.open(mine.token, write(tmp_path / "a.wav", 0.1), "a")
    with pytest.raises(PageError):
        store.sound(other.token, sound.id)


def test_unknown_language(store):
    with pytest.raises(ParameterError):
        store.new_session("xx")


@pytest.mark.parametrize(
    ("content", "key"), [(b"", "audio.empty"), (b"RIFF but no sound" * 9, "audio.unreadable"), (None, "audio.not_finite")]
)
def test_broken_files_leave_nothing_behind(tmp_path, store, content, key):
    path = tmp_path / "broken.wav"
    soundfile.write(path, np.full(90_000, np.nan), RATE, "FLOAT") if content is None else path.write_bytes(content)
    with pytest.raises(AudioError) as refused:
        store.open(store.new_session("en").token, path, "mine\0\ud800.wav")
    assert (refused.value.key, refused.value.values["name"]) == (key, "mine.wav")
    assert files(tmp_path) == []


def test_timeout_leaves_nothing_behind(tmp_path, store, monkeypatch):
    monkeypatch.setattr(decoding, "DECODE_SECONDS", 0.05)
    with pytest.raises(AudioError) as stopped:
        store.open(store.new_session("en").token, write(tmp_path / "a.wav", 2.0), "a")
    assert stopped.value.key == "audio.timeout"
    assert files(tmp_path) == []


def test_busy_decoders_turn_others_away(tmp_path, store, monkeypatch):
    monkeypatch.setattr(decoding, "QUEUE_SECONDS", 0.05)
    session = store.new_session("en")
    with contextlib.ExitStack() as busy:
        for number in range(decoding.DECODES_AT_A_TIME):
            busy.enter_context(store.decoder.slot(number))
        with pytest.raises(PageError) as refused:
            store.open(session.token, write(tmp_path / "a.wav", 0.1), "a")
        assert refused.value.key == "page.busy"
    store.open(session.token, tmp_path / "a.wav", "a")


def test_long_work_leaves_its_slot_to_others(tmp_path, store, monkeypatch):
    """Two hours of sound of as many sessions as there are slots: another's few seconds don't wait for them."""
    monkeypatch.setattr(decoding, "SHORT_SECONDS", 0.2)
    monkeypatch.setattr(decoding, "QUEUE_SECONDS", 20.0)
    path, session = write(tmp_path / "a.wav", 0.1), store.new_session("en")
    with contextlib.ExitStack() as busy:
        for number in range(decoding.DECODES_AT_A_TIME):
            busy.enter_context(store.decoder.slot(number))
        store.open(session.token, path, "a")  # raises if both slots are held to the end


def test_one_session_leaves_decoders_to_others(tmp_path, store, monkeypatch):
    monkeypatch.setattr(decoding, "SHORT_SECONDS", 0.1)
    monkeypatch.setattr(decoding, "QUEUE_SECONDS", 2.0)
    with contextlib.ExitStack() as busy:
        for _ in range(decoding.OF_ONE):
            busy.enter_context(store.decoder.slot("greedy"))
        with pytest.raises(PageError), store.decoder.slot("greedy"):
            pytest.fail("a session has too many decoders")
        with store.decoder.slot("visitor"):
            pass


def test_upload_deleted_while_it_is_decoded(tmp_path, store, monkeypatch):
    """The files tab deletes its files at any moment."""
    path, session, real = write(tmp_path / "a.aiff", 0.5), store.new_session("en"), decoding.decode_in_worker

    def decode(*given):
        path.unlink()
        return real(*given)

    monkeypatch.setattr(decoding, "decode_in_worker", decode)
    assert store.open(session.token, path, "a").seconds == pytest.approx(0.5, abs=0.01)
    before = files(tmp_path)
    with pytest.raises(PageError) as refused:
        store.open(session.token, path, "a")
    assert refused.value.key == "page.gone"
    assert files(tmp_path) == before


def test_sound_beyond_its_share_is_refused_and_pushes_nobody_out(tmp_path, store, monkeypatch):
    visitor, greedy = store.new_session("en"), store.new_session("en")
    only = store.open(visitor.token, write(tmp_path / "a.wav", 2.0), "a")  # 132,344 bytes
    monkeypatch.setattr(store_module, "MAX_DISK_BYTES", 500_000)
    monkeypatch.setattr(store_module, "MAX_SOUND_BYTES", 300_000)
    with pytest.raises(AudioError) as refused:
        store.open(greedy.token, write(tmp_path / "b.wav", 5.0), "b")  # 330,860
    assert refused.value.key == "audio.share" and "0.0 GB" in str(refused.value)
    assert store.sound(visitor.token, only.id) is only
    assert not [file for file in files(tmp_path) if only.id not in file.name]


def test_full_disk_leaves_no_part_of_a_copy(tmp_path, monkeypatch):
    def copy(source, target):
        Path(target).write_bytes(b"part")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("esc.ui.sessions.sound.os.link", copy)
    monkeypatch.setattr("esc.ui.sessions.sound.shutil.copyfile", copy)
    with pytest.raises(OSError, match="space"):
        link_or_copy(write(tmp_path / "a.wav", 0.1), tmp_path / "b.wav")
    assert not (tmp_path / "b.wav").exists()


@pytest.fixture
def small_disk(tmp_path):
    """The folder of a disk of 2 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.slow
def test_full_disk_is_named_and_space_freed_is_used(small_disk):
    store = SoundStore(small_disk / "samples", small_disk / "playable")
    session, path, others = store.new_session("en"), write(small_disk / "a.aiff", 8.0), small_disk / "others"

    def refused(work, *given):
        before = files(small_disk)
        others.write_bytes(bytes(shutil.disk_usage(small_disk).free - 100_000))
        with pytest.raises((AudioError, OSError)) as error:
            work(*given)
        assert files(small_disk) == before
        others.unlink()
        return RequestLog("open").failure(error.value).key

    assert refused(store.open, session.token, path, "a") == "audio.disk_full"  # samples and copy take 0.5 MB
    sound = store.open(session.token, path, "a")
    assert refused(store.waveform, sound, 4_000) == "page.disk_full"
    assert len(store.waveform(sound, 4_000)) == 8 * 4_000


def test_drop_removes_all_files(tmp_path, store):
    session, other = store.new_session("en"), store.new_session("en")
    sound = store.open(session.token, write(tmp_path / "a.aiff", 2.0), "a")
    kept = store.open(other.token, tmp_path / "a.aiff", "a")
    store.waveform(sound, 8_000)
    assert len(files(tmp_path)) == 7  # of both: samples, copy and original; and one resampled
    store.drop(session.token)
    assert len(files(tmp_path)) == 3
    assert all(kept.id in file.name for file in files(tmp_path))
    assert (tmp_path / "a.aiff").exists()
    with pytest.raises(PageError):
        store.session(session.token)


def test_session_dropped_while_decoding_leaves_nothing(tmp_path, store, monkeypatch):
    session = store.new_session("en")
    real = decoding.decode_in_worker

    def decode_and_lose_the_session(*given):
        facts = real(*given)
        store.drop(session.token)
        return facts

    monkeypatch.setattr(decoding, "decode_in_worker", decode_and_lose_the_session)
    with pytest.raises(PageError):
        store.open(session.token, write(tmp_path / "a.aiff", 2.0), "a")
    assert files(tmp_path) == []


def test_session_dropped_while_resampling_leaves_nothing(tmp_path, store, monkeypatch):
    session = store.new_session("en")
    sound = store.open(session.token, write(tmp_path / "a.wav", 2.0), "a")
    real = store_module.resample_to_file

    def lose_the_session_and_resample(*given):
        store.drop(session.token)
        real(*given)

    monkeypatch.setattr(store_module, "resample_to_file", lose_the_session_and_resample)
    with pytest.raises(PageError) as refused:
        store.waveform(sound, 8_000)
    assert refused.value.key == "page.gone"
    assert files(tmp_path) == []


def test_oldest_sound_and_longest_unused_session_go_first(tmp_path, store, monkeypatch):
    monkeypatch.setattr(store_module, "SOUNDS_A_SESSION", 2)
    monkeypatch.setattr(store_module, "MAX_SESSIONS", 2)
    path = write(tmp_path / "a.wav", 2.0)
    first = store.new_session("en")
    sounds = [store.open(first.token, path, "a") for _ in range(3)]
    assert list(first.sounds) == [sounds[1].id, sounds[2].id]
    assert len(files(tmp_path)) == 4  # samples and a playable link each
    second = store.new_session("en")
    store.session(first.token)  # now the second one is the longest unused
    store.new_session("en")
    assert store.session(first.token) is first
    with pytest.raises(PageError):
        store.session(second.token)


def test_disk_is_bounded(tmp_path, store, monkeypatch):
    path = write(tmp_path / "a.wav", 2.0)  # 44,144 bytes, 88,200 decoded
    first, second = store.new_session("en"), store.new_session("en")
    old = store.open(first.token, path, "a")
    monkeypatch.setattr(store_module, "MAX_DISK_BYTES", 290_000)
    new = store.open(second.token, path, "a")
    assert store.sound(first.token, old.id) is old
    store.waveform(new, 8_000)  # 64,000 bytes more: the other one has to go
    with pytest.raises(PageError):
        store.sound(first.token, old.id)
    with pytest.raises(AudioError) as refused:
        store.waveform(new, 48_000)  # 384,000 bytes never fit beside its own
    assert refused.value.key == "audio.too_long"
    assert refused.value.values["limit_minutes"] < 2 / 60
    assert sum(file.stat().st_size for file in files(tmp_path)) <= 290_000


def test_what_can_never_fit_costs_no_other_sound(tmp_path, store, monkeypatch):
    path = write(tmp_path / "a.wav", 2.0)
    first, second = store.new_session("en"), store.new_session("en")
    other, sound = store.open(first.token, path, "a"), store.open(second.token, path, "a")
    store.waveform(sound, 8_000)
    monkeypatch.setattr(store_module, "MAX_DISK_BYTES", 500_000)
    with pytest.raises(AudioError, match="a"):
        store.waveform(sound, 48_000)  # 384,000 bytes beside its own 132,344
    assert store.sound(first.token, other.id) is other
    assert np.isfinite(store.waveform(sound, 8_000)).all()  # its own copy went and is made anew
    assert sum(file.stat().st_size for file in files(tmp_path)) <= 500_000


def test_a_page_in_use_outlives_a_break_of_its_connection(tmp_path, store, monkeypatch):
    session = store.new_session("en")
    sound = store.open(session.token, write(tmp_path / "a.wav", 0.5), "a")
    store.close("unknown")
    store.close(session.token)
    store.drop_idle()
    assert store.sound(session.token, sound.id) is sound
    monkeypatch.setattr(store_module, "IDLE_SECONDS", 0.0)
    store.drop_idle()
    assert not store._sessions
    assert files(tmp_path) == []


def test_session_of_a_program_goes_by_age(tmp_path, store, monkeypatch):
    """Only a page's connection is reported closed."""
    session = store.new_session("en")
    store.open(session.token, write(tmp_path / "a.wav", 0.5), "a")
    monkeypatch.setattr(store_module, "IDLE_SECONDS", 0.0)
    store.drop_idle()
    assert store.session(session.token) is session
    monkeypatch.setattr(store_module, "ABANDONED_SECONDS", 0.0)
    store.drop_idle()
    assert not store._sessions
    assert files(tmp_path) == []


def test_session_with_most_bytes_makes_room(tmp_path, store, monkeypatch):
    """A visitor's only sound outlives the many of another, though it was used longer ago."""
    path = write(tmp_path / "a.wav", 2.0)  # 44,144 bytes, 88,200 decoded
    visitor, greedy = store.new_session("en"), store.new_session("en")
    only = store.open(visitor.token, path, "a")
    monkeypatch.setattr(store_module, "MAX_DISK_BYTES", 420_000)  # three such sounds
    many = [store.open(greedy.token, path, "a") for _ in range(4)]
    assert store.sound(visitor.token, only.id) is only
    assert list(greedy.sounds) == [sound.id for sound in many[-2:]]


def test_memory_is_bounded(tmp_path, store, monkeypatch):
    monkeypatch.setattr(store_module, "MAX_MEMORY_BYTES", 50_000)
    session = store.new_session("en")
    sounds = [store.open(session.token, write(tmp_path / "a.wav", 0.8), "a") for _ in range(2)]  # 35,280 bytes each
    assert list(session.sounds) == [sounds[1].id]


@pytest.mark.parametrize("new_rate", [8_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("n_samples", [10_000, 70_001])
def test_resampled_equals_soxr_of_the_whole(tmp_path, store, monkeypatch, new_rate, n_samples):
    monkeypatch.setattr("esc.audio.resampling._BLOCK", 9_973)
    sound = store.open(store.new_session("en").token, write(tmp_path / "a.wav", n_samples / RATE), "a")
    resampled = store.waveform(sound, new_rate)
    expected = soxr.resample(np.array(sound.waveform), RATE, new_rate, quality="HQ")
    assert resampled.dtype == np.float32
    assert isinstance(resampled, np.memmap) is (n_samples > RATE)
    assert len(resampled) == -(-n_samples * new_rate // RATE) == len(resample(np.array(sound.waveform), RATE, new_rate))
    np.testing.assert_allclose(resampled[: len(expected)], expected[: len(resampled)], atol=1e-4)


def test_own_rate_is_the_waveform_itself(tmp_path, store):
    sound = store.open(store.new_session("en").token, write(tmp_path / "a.wav", 0.2), "a")
    assert store.waveform(sound, RATE) is sound.waveform


@pytest.mark.parametrize("rate", [0, 999, 768_001, 44_100.5, "44100", True])
def test_impossible_rate(tmp_path, store, rate):
    sound = store.open(store.new_session("en").token, write(tmp_path / "a.wav", 0.2), "a")
    with pytest.raises(ParameterError):
        store.waveform(sound, rate)


@pytest.mark.parametrize(("seconds", "computes"), [(0.5, "resample"), (2.0, "resample_to_file")])
def test_threads_that_ask_for_the_same_compute_once(tmp_path, store, monkeypatch, seconds, computes):
    sound = store.open(store.new_session("en").token, write(tmp_path / "a.wav", seconds), "a")
    calls, real, both_ask = [], getattr(store_module, computes), threading.Barrier(2)

    def counted(*given):
        calls.append(given)
        threading.Event().wait(0.1)  # time for the other thread to ask, too
        return real(*given)

    def ask():
        both_ask.wait()
        return store.waveform(sound, 8_000)

    monkeypatch.setattr(store_module, computes, counted)
    with ThreadPoolExecutor(2) as threads:
        first, second = (asked.result() for asked in [threads.submit(ask) for _ in range(2)])
    assert first is second
    assert len(calls) == 1


def test_three_rates_are_kept(tmp_path, store):
    sound = store.open(store.new_session("en").token, write(tmp_path / "a.wav", 2.0), "a")
    for rate in (8_000, 9_000, 10_000):
        store.waveform(sound, rate)
    kept = store.waveform(sound, 8_000)  # used again: 9,000 Hz is now the longest unused
    store.waveform(sound, 12_000)
    assert store.waveform(sound, 8_000) is kept
    resampled = [file.name.split("-")[-1] for file in (tmp_path / "samples").iterdir()]
    assert {"10000", "12000", "8000"} < set(resampled)
    assert len(resampled) == 4  # and the original


def test_what_an_earlier_run_left_is_removed(tmp_path, store):
    store.open(store.new_session("en").token, write(tmp_path / "a.aiff", 2.0), "a")
    (tmp_path / "playable" / "not_ours.flac").touch()
    (tmp_path / "playable" / "esc-sound-0123.flac").touch()
    SoundStore(tmp_path / "samples", tmp_path / "playable")
    assert [file.name for file in files(tmp_path)] == ["not_ours.flac"]


def test_nothing_is_left_when_the_store_goes(tmp_path):
    store = SoundStore(tmp_path / "samples", tmp_path / "playable")
    store.open(store.new_session("en").token, write(tmp_path / "a.aiff", 2.0), "a")
    assert len(files(tmp_path)) == 3
    del store
    gc.collect()
    assert files(tmp_path) == []


def test_what_is_written_beside_a_sound_that_went_goes_too(tmp_path, store):
    session = store.new_session("en")
    sound = store.open(session.token, write(tmp_path / "a.wav", 0.5), "a")
    path, written = store.companion(sound, "clip.flac", lambda path: path.write_bytes(b"one"))
    assert path.exists() and written == 3
    store.drop(session.token)
    assert files(tmp_path) == []
    with pytest.raises(PageError) as refused:
        store.companion(sound, "clip.flac", lambda path: path.write_bytes(b"late"))
    assert refused.value.key == "page.gone"
    assert files(tmp_path) == []


def test_slowed_copy_is_made_once_within_the_disk(tmp_path, store, monkeypatch):
    session = store.new_session("en")
    sound = store.open(session.token, write(tmp_path / "a.wav", 0.5), "a")
    calls, reserved, both_ask = [], [], threading.Barrier(2)
    real, before = open_sounds.write_slowed_in_worker, sound.file_bytes

    def counted(*given):
        calls.append(given)
        reserved.append(store._used_bytes()[0] - before)
        threading.Event().wait(0.1)  # time for the other thread to ask, too
        real(*given)

    def ask():
        both_ask.wait()
        return open_sounds.slowed_copy(store, sound, session.token)

    monkeypatch.setattr(open_sounds, "write_slowed_in_worker", counted)
    with ThreadPoolExecutor(2) as threads:
        first, second = (asked.result() for asked in [threads.submit(ask) for _ in range(2)])
    assert first == second and len(calls) == 1
    assert sound.file_bytes - before == first.stat().st_size <= reserved[0] <= 2 * 8_000 * 5
    assert store._used_bytes()[0] == sound.file_bytes
    monkeypatch.setattr(store_module, "MAX_DISK_BYTES", 60_000)
    other = store.open(session.token, write(tmp_path / "b.wav", 0.5, seed=1), "b")
    with pytest.raises(AudioError) as refused:
        open_sounds.slowed_copy(store, other, session.token)
    assert refused.value.key == "audio.too_long" and len(calls) == 1


def test_sound_dropped_while_it_is_slowed(tmp_path, store, monkeypatch):
    session = store.new_session("en")
    sound = store.open(session.token, write(tmp_path / "a.wav", 0.5), "a")
    real = open_sounds.write_slowed_in_worker

    def drop_after(*given):
        real(*given)
        store.drop(session.token)

    monkeypatch.setattr(open_sounds, "write_slowed_in_worker", drop_after)
    with pytest.raises(PageError) as refused:
        open_sounds.slowed_copy(store, sound, session.token)
    assert refused.value.key == "page.gone"
    assert files(tmp_path) == []


def test_disk_limit_holds_while_decoding(tmp_path, store, monkeypatch):
    """A decode that needs more than the limit is stopped before it writes, and two of them can't share the same room."""
    path = write(tmp_path / "a.wav", 3.0)  # 66,194 bytes, 132,300 decoded
    real, written = decoding.decode_in_worker, []

    def measured(*given):
        try:
            return real(*given)
        finally:
            written.append(sum(file.stat().st_size for file in files(tmp_path)))

    monkeypatch.setattr(decoding, "decode_in_worker", measured)
    monkeypatch.setattr(store_module, "MAX_DISK_BYTES", 100_000)
    with pytest.raises(AudioError):
        store.open(store.new_session("en").token, path, "a")
    assert max(written) <= 100_000
    monkeypatch.setattr(store_module, "MAX_DISK_BYTES", 300_000)

    def open_another_meanwhile(*given):
        decoded = measured(*given)
        monkeypatch.setattr(decoding, "decode_in_worker", measured)
        with pytest.raises(PageError):
            store.open(store.new_session("en").token, path, "b")
        return decoded

    monkeypatch.setattr(decoding, "decode_in_worker", open_another_meanwhile)
    monkeypatch.setattr(store_module, "DECODES_AT_A_TIME", 1)
    store.open(store.new_session("en").token, path, "a")
    assert max(written) <= 300_000


def test_disk_limit_with_concurrent_resampling(tmp_path, store, monkeypatch):
    path = write(tmp_path / "a.wav", 2.0)  # 132,344 bytes with the decoded samples
    first, second = (store.open(store.new_session("en").token, path, name) for name in "ab")
    monkeypatch.setattr(store_module, "MAX_DISK_BYTES", 340_000)
    real, sizes = store_module.resample_to_file, []

    def resample_both(*given):
        monkeypatch.setattr(store_module, "resample_to_file", real)
        with contextlib.suppress(PageError):
            store.waveform(second, 8_000)  # 64,000 bytes more
        real(*given)
        sizes.append(sum(file.stat().st_size for file in files(tmp_path)))

    monkeypatch.setattr(store_module, "resample_to_file", resample_both)
    with contextlib.suppress(PageError):
        store.waveform(first, 8_000)
    assert max(sizes) <= 340_000


def test_background_resampling_is_bounded_and_ends_with_the_process(tmp_path, store, monkeypatch):
    session, path = store.new_session("en"), write(tmp_path / "a.wav", 2.0)
    sound = store.open(session.token, path, "a")
    started, go_on, calls, real = threading.Event(), threading.Event(), [], store_module.resample_to_file

    def resample(*given):
        calls.append(given[2])
        started.set()
        assert go_on.wait(20)
        real(*given)

    monkeypatch.setattr(store_module, "resample_to_file", resample)
    running = store.resample_later(sound, 8_000)
    assert started.wait(20)
    assert [thread.daemon for thread in threading.enumerate() if thread.name.startswith("resample")] == [True]
    later = [store.resample_later(sound, rate) for rate in range(8_001, 8_031)]
    assert store.resample_later(sound, 8_030) is later[-1]
    go_on.set()
    for future in (running, *later[-8:]):
        future.result(20)
    assert sum(future.cancelled() for future in later) == 22
    assert len(calls) == 9


def test_leased_rate_is_not_evicted(tmp_path, store):
    sound = store.open(store.new_session("en").token, write(tmp_path / "a.wav", 2.0), "a")
    ended = []
    lease = Lease(8_000, lambda: bool(ended))
    path = Path(store.waveform(sound, 8_000, lease).filename)
    for rate in (9_000, 10_000, 12_000, 16_000):
        store.waveform(sound, rate)
    assert path.exists()
    ended.append(True)
    for rate in (9_001, 9_002, 9_003):
        store.waveform(sound, rate)
    assert not path.exists()
    assert len(sound.resampled) == 3


def test_waiting_uploads_hold_no_room(tmp_path, store, monkeypatch):
    """Room is divided among the decoders at work: one that waits has not yet taken half of what is left."""
    path, rooms, real = write(tmp_path / "a.wav", 0.1), [], decoding.decode_in_worker

    def recorded(*given):
        rooms.append(given[5])
        time.sleep(0.2)
        return real(*given)

    monkeypatch.setattr(decoding, "decode_in_worker", recorded)
    with ThreadPoolExecutor(8) as pool:
        opened = [pool.submit(store.open, store.new_session("en").token, path, "a") for _ in range(8)]
        assert all(one.result(60).seconds for one in opened)
    assert len(rooms) == 8
    assert min(rooms) > store_module.MAX_DISK_BYTES / 2**store_module.DECODES_AT_A_TIME / 2


def test_half_of_a_small_disk_is_left_to_others(tmp_path, monkeypatch):
    path = write(tmp_path / "a.wav", 2.0)  # 44,144 bytes, 88,200 decoded
    monkeypatch.setattr(store_module.shutil, "disk_usage", lambda folder: SimpleNamespace(total=600_000))
    store = store_module.SoundStore(tmp_path / "samples", tmp_path / "playable")
    monkeypatch.setattr(decoding, "MEMORY_SECONDS", 0.5)
    sounds = [store.open(store.new_session("en").token, path, "a") for _ in range(4)]
    assert len({sound.id for sound in sounds}) == 4
    assert sum(file.stat().st_size for file in files(tmp_path)) <= 300_000
    with pytest.raises(AudioError, match="a"):
        store.open(store.new_session("en").token, write(tmp_path / "b.wav", 20.0), "b")
