"""Decoding audio into a mono waveform: formats, limits and resampling."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest
import soundfile

from ser.audio.waveform import SAMPLE_RATE, Waveform, decode, resample
from ser.core.errors import AudioError

RATES = (8_000, 16_000, 44_100, 48_000, 96_000, 192_000)
LOSSLESS = [("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "PCM_32"), ("WAV", "FLOAT"), ("FLAC", "PCM_16")]
LOSSLESS += [("AIFF", "PCM_16"), ("RF64", "PCM_16"), ("WAVEX", "PCM_16")]
LOSSY = [("WAV", "PCM_U8"), ("WAV", "ULAW"), ("MP3", "MPEG_LAYER_III"), ("OGG", "VORBIS"), ("OGG", "OPUS")]
FFMPEG = [("mp4", "aac"), ("adts", "aac"), ("webm", "libopus"), ("mp4", "libopus")]


def ffmpeg(samples: np.ndarray, sample_rate: int, container: str, codec: str) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as file:
        stream = file.add_stream(codec, rate=sample_rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None].copy(), format="fltp", layout="mono")
        frame.sample_rate = sample_rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            file.mux(packet)
    return buffer.getvalue()


@pytest.mark.parametrize(("form", "subtype"), LOSSLESS)
@pytest.mark.parametrize("sample_rate", RATES)
def test_lossless_formats_keep_the_samples(tone, encode, form, subtype, sample_rate):
    samples = tone(0.5, sample_rate)
    waveform = decode(encode(samples, sample_rate, form, subtype))
    assert waveform.sample_rate == sample_rate
    assert waveform.samples.dtype == np.float32
    np.testing.assert_allclose(waveform.samples, samples, atol=1e-4)


@pytest.mark.parametrize(("form", "subtype"), LOSSY)
def test_lossy_formats_keep_the_sound(tone, encode, form, subtype):
    samples = tone(1.0, 48_000)
    waveform = decode(encode(samples, 48_000, form, subtype))
    assert abs(waveform.seconds - 1) < 0.1
    assert spectrum_correlation(waveform, samples) > 0.95


@pytest.mark.parametrize(("container", "codec"), FFMPEG)
def test_browser_and_phone_formats_keep_the_sound(tone, container, codec):
    samples = tone(1.0, 48_000)
    waveform = decode(ffmpeg(samples, 48_000, container, codec))
    assert abs(waveform.seconds - 1) < 0.1
    assert spectrum_correlation(waveform, samples) > 0.95


def spectrum_correlation(waveform: Waveform, samples: np.ndarray) -> float:
    size = min(len(samples), len(waveform.samples))
    one, other = (np.abs(np.fft.rfft(part[:size])) for part in (samples, waveform.samples))
    return float(np.corrcoef(one, other)[0, 1])


@pytest.mark.parametrize("channels", range(1, 9))
def test_channels_are_averaged(tone, encode, channels):
    samples = tone(0.3, SAMPLE_RATE)
    gains = np.linspace(0.2, 1.0, channels, dtype=np.float32)
    waveform = decode(encode(samples[:, None] * gains, SAMPLE_RATE, "WAV", "FLOAT"))
    np.testing.assert_allclose(waveform.samples, samples * gains.mean(), atol=1e-6)


def test_a_path_decodes_like_its_bytes(tone, encode, tmp_path):
    file = tmp_path / "ünïcode name with spaces.wav"
    file.write_bytes(encode(tone(0.5, SAMPLE_RATE), SAMPLE_RATE))
    np.testing.assert_array_equal(decode(file).samples, decode(file.read_bytes()).samples)


def test_the_name_does_not_matter_only_the_content(tone, encode, tmp_path):
    file = tmp_path / "really_flac.wav"
    file.write_bytes(encode(tone(0.5, SAMPLE_RATE), SAMPLE_RATE, "FLAC", "PCM_16"))
    assert decode(file).seconds == 0.5


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "audio_empty"),
        (b"hello, I am a text file", "audio_unsupported"),
        (b"<!doctype html><title>no</title>", "audio_unsupported"),
        (b"PK\x03\x04" + bytes(200), "audio_unsupported"),
        (b"MZ" + bytes(200), "audio_unsupported"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "audio_unsupported"),
        (b"RIFF\x24\x00\x00\x00WAVE", "audio_unreadable"),
        (b"fLaC" + bytes(100), "audio_unreadable"),
        (b"OggS" + bytes(100), "audio_unreadable"),
        (b"ID3" + bytes(100), "audio_unreadable"),
        (b"\x1a\x45\xdf\xa3" + bytes(100), "audio_unreadable"),
        (b"\x00\x00\x00\x20ftypM4A " + bytes(100), "audio_unreadable"),
        (b"\xff\xf1" + bytes(100), "audio_unreadable"),
    ],
)
def test_bytes_that_are_not_a_recording_are_refused(content, code):
    with pytest.raises(AudioError) as caught:
        decode(content)
    assert caught.value.code == code


def test_recordings_that_are_too_long_are_refused(tone, encode):
    short, long = encode(tone(0.09, SAMPLE_RATE), SAMPLE_RATE), encode(tone(3.0, SAMPLE_RATE), SAMPLE_RATE)
    with pytest.raises(AudioError, match="at least") as caught:
        decode(short)
    assert caught.value.code == "audio_too_short"
    with pytest.raises(AudioError, match="longer than") as caught:
        decode(long, max_seconds=2.0)
    assert caught.value.code == "audio_too_long"


def test_long_webm_without_a_stated_duration_is_refused(tone):
    with pytest.raises(AudioError) as caught:
        decode(ffmpeg(tone(3.0, 48_000), 48_000, "webm", "libopus"), max_seconds=1.0)
    assert caught.value.code == "audio_too_long"


def test_a_recording_without_samples_is_refused_as_empty(encode):
    with pytest.raises(AudioError) as caught:
        decode(encode(np.zeros(0, np.float32), SAMPLE_RATE))
    assert caught.value.code == "audio_empty"


@pytest.mark.parametrize("sample_rate", [4_000, 384_000])
def test_unsupported_sampling_rates_are_refused(tone, encode, sample_rate):
    with pytest.raises(AudioError) as caught:
        decode(encode(tone(0.5, sample_rate), sample_rate))
    assert caught.value.code == "audio_sample_rate"


def test_too_many_channels_are_refused(encode):
    with pytest.raises(AudioError, match="9 channels"):
        decode(encode(np.zeros((16_000, 9), np.float32), SAMPLE_RATE))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_non_finite_samples_are_refused(tone, encode, value):
    samples = tone(0.5, SAMPLE_RATE)
    samples[100] = value
    with pytest.raises(AudioError) as caught:
        decode(encode(samples, SAMPLE_RATE, "WAV", "FLOAT"))
    assert caught.value.code == "audio_not_finite"


def test_a_header_claiming_too_much_data_reads_what_is_there(tone, encode):
    content = bytearray(encode(tone(1.0, SAMPLE_RATE), SAMPLE_RATE))
    content[40:44] = (2**32 - 2).to_bytes(4, "little")
    assert decode(bytes(content)).seconds == pytest.approx(1.0, abs=0.01)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(AudioError, match="cannot be read"):
        decode(tmp_path / "nowhere.wav")


def test_resampling_keeps_a_tone_and_its_duration(tone):
    waveform = Waveform(tone(1.0, 48_000, hertz=440), 48_000)
    down = resample(waveform, SAMPLE_RATE)
    assert down.sample_rate == SAMPLE_RATE
    assert len(down.samples) == SAMPLE_RATE
    assert np.abs(np.fft.rfft(down.samples)).argmax() == 440
    assert resample(down, SAMPLE_RATE) is down


@pytest.mark.corpus
def test_published_recordings_including_stereo_are_read(corpora_root):
    import zipfile

    archive = next((corpora_root / "ravdess-original").glob("*.zip"))
    channels = set()
    with zipfile.ZipFile(archive) as files:
        for name in files.namelist():
            if name.endswith(".wav"):
                content = files.read(name)
                channels.add(soundfile.info(io.BytesIO(content)).channels)
                waveform = decode(content)
                assert waveform.sample_rate == 48_000
                assert 2 < waveform.seconds < 6
    assert channels == {1, 2}
