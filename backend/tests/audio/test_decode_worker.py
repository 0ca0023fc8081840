"""Decoding in helper processes: identical samples, and no harm from crashes, hangs or excessive memory use."""

from __future__ import annotations

import io
import socket
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import av
import numpy as np
import pytest

from ser.audio.decode_worker import Decoders, allowed_seconds, claimed_bytes
from ser.audio.waveform import decode
from ser.core.errors import AudioError
from tests.tools.hostile_decoder import EVIL, POSIX, WAYS
from tests.tools.malformed_files import bombs, claiming_4_gib, disguised, malformed, originals, referring


@pytest.fixture(scope="module")
def decoders() -> Iterator[Decoders]:
    with Decoders(2) as decoders:
        yield decoders


@pytest.fixture(scope="module")
def evil() -> Iterator[Decoders]:
    with Decoders(1, program=("-c", EVIL), seconds=lambda _: 1.5) as decoders:
        yield decoders


@pytest.mark.parametrize("name", originals())
def test_a_helper_decodes_the_same_samples(decoders, name):
    content = originals()[name]
    found, expected = decoders.decode(content, 60.0), decode(content)
    assert found.sample_rate == expected.sample_rate
    np.testing.assert_array_equal(found.samples, expected.samples)
    assert found.samples.flags.writeable, "PyTorch warns about read-only memory"


def test_an_error_arrives_with_all_its_fields(decoders):
    with pytest.raises(AudioError) as caught:
        decoders.decode(originals()["wav"], 0.2)
    assert caught.value.code == "audio_too_long" and "split it into parts" in str(caught.value)


def test_concurrent_decodes_do_not_mix(decoders, encode):
    clips = [encode(np.full(4_000 + i, i / 100, np.float32), 16_000, "WAV", "FLOAT") for i in range(40)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda clip: decoders.decode(clip, 60.0), clips))
    for i, answer in enumerate(answers):
        np.testing.assert_array_equal(answer.samples, np.full(4_000 + i, i / 100, np.float32))


@pytest.mark.parametrize("way", WAYS)
def test_a_crashing_helper_fails_one_recording_only(evil, way):
    evil.decode(b"fine x", 60.0)  # it is running
    began = time.monotonic()
    with pytest.raises(AudioError) as caught:
        evil.decode(way, 60.0)
    assert caught.value.code == "audio_undecodable"
    assert time.monotonic() - began < 8
    assert len(evil.decode(b"fine xyz", 60.0).samples) == 3


def test_a_helper_that_died_while_idle_does_not_fail_the_next_recording(evil):
    evil.decode(b"fine x", 60.0)
    evil._helpers[0]._process.kill()
    evil._helpers[0]._process.wait()
    assert len(evil.decode(b"fine xyz", 60.0).samples) == 3


if POSIX:  # the kernel's limits on files are

    def test_a_helper_can_open_nothing(evil, tmp_path):
        canary = tmp_path / "canary"
        canary.write_text("alive", encoding="utf-8")
        assert evil.decode(f"open {canary}".encode(), 60.0).sample_rate == 8000
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(0.3)
            assert evil.decode(f"connect {listener.getsockname()[1]}".encode(), 60.0).sample_rate == 8000
            with pytest.raises(TimeoutError):
                listener.accept()


def test_the_time_limit_grows_with_the_size():
    assert allowed_seconds(0) == 5 and allowed_seconds(25 << 20) == 30


@pytest.mark.parametrize("name", disguised())
def test_non_recordings_are_refused_by_content(name):
    with pytest.raises(AudioError) as caught:
        decode(disguised()[name])
    assert caught.value.code == "audio_unsupported"


def test_sound_in_another_file_is_not_fetched(tmp_path):
    """The other file exists and holds the audio; the control shows that FFmpeg would find it if allowed to."""
    target = tmp_path / "secret.m4a"
    target.write_bytes(originals()["m4a"])
    content = referring(str(target))
    willing = {"enable_drefs": "1", "use_absolute_path": "1"}
    with av.open(io.BytesIO(content), format="mp4", options=willing) as file:
        peak = max(float(np.abs(frame.to_ndarray()).max()) for frame in file.decode(audio=0))
    assert peak > 0.1
    with pytest.raises(AudioError):
        decode(content)


@pytest.mark.parametrize("name", bombs(120))
def test_decompression_bombs_are_refused_quickly(decoders, name):
    content = bombs(120)[name]
    began = time.monotonic()
    with pytest.raises(AudioError):
        decoders.decode(content, 60.0)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("name", claiming_4_gib())
def test_a_header_claiming_4_gib_is_refused_for_uploads_only(decoders, name):
    """Audio piped into the command line has such a header and is read up to its actual end."""
    content = claiming_4_gib()[name]
    assert decode(content).seconds == pytest.approx(1.0 if "WAV" in name else 0.5, abs=0.01)
    with pytest.raises(AudioError, match="GiB") as caught:
        decoders.decode(content, 1800.0)
    assert caught.value.code == "audio_unreadable"


def test_claimed_sizes_are_read_from_headers():
    for name, content in originals().items():
        assert claimed_bytes(content) <= len(content), name
        for cut in range(128):
            assert claimed_bytes(content[:cut]) <= len(content), name
    big = b"RIFX" + struct.pack(">I", 7) + b"WAVE" + b"data" + struct.pack(">I", 3_000_000_000)
    assert claimed_bytes(big) == 3_000_000_000


def test_damaged_files_are_decoded_or_refused(decoders):
    """Every format with every kind of damage; the scorecard sends more of them to a server."""
    codes = set()
    for name, content in malformed(91):
        began = time.monotonic()
        try:
            assert decoders.decode(content, 60.0).seconds <= 60, name
        except AudioError as error:
            codes.add(error.code)
        assert time.monotonic() - began < 10, name
    assert {"audio_unreadable", "audio_unsupported"} <= codes


def test_the_same_seed_gives_the_same_files():
    assert list(malformed(30, seed=7)) == list(malformed(30, seed=7)) != list(malformed(30, seed=8))
