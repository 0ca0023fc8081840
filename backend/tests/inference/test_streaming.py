"""Live sessions: chunks are analysed one by one and merged into the prediction of the whole recording."""

from __future__ import annotations

import json
import random
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from ser.audio.vad import FRAME_SAMPLES
from ser.audio.waveform import SAMPLE_RATE, Waveform, decode
from ser.core.errors import AudioError
from ser.core.settings import load_settings
from ser.inference.predictor import Predictor, load_predictor
from ser.inference.streaming import analyse_chunk, chunk_digest, merge_chunks, summarise
from ser.models.calibration import Calibration
from ser.models.checkpoint import ModelInfo
from ser.storage.sessions import Chunk

LABELS = ("angry", "happy", "sad")
PAGE_SESSION = Path(__file__).parents[3] / "frontend" / "tests" / "live-session.json"
INFO = ModelInfo(
    name="m",
    title="",
    summary="",
    recipe="",
    labels=LABELS,
    sample_rate=SAMPLE_RATE,
    clip_seconds=None,
    parameters=1,
    corpora=(),
    licence="",
    calibration=Calibration(temperature=1.0, unsure_below=0.5),
)


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return load_predictor("resnet1d", load_settings({}))


def chunk(sequence: int, emotion: str | None = "happy", *, hop: float = 1.0, length: float = 3.0, speech: str = "1"):
    """A synthetic chunk result; without an emotion it has no speech."""
    found = {label: 0.8 if label == emotion else 0.1 for label in LABELS} if emotion else {}
    frames = -(-round(length * SAMPLE_RATE) // FRAME_SAMPLES)
    return Chunk(
        sequence=sequence,
        digest="",
        start=sequence * hop,
        end=sequence * hop + length,
        speech=(speech if emotion else "0") * frames,
        answer={"state": "emotion" if emotion else "no_speech", "emotion": emotion, "probabilities": found},
    )


def cut(encode, samples: np.ndarray, hop: float, length: float = 3.0) -> list[tuple[bytes, float]]:
    size, step = round(length * SAMPLE_RATE), round(hop * SAMPLE_RATE)
    starts = range(0, max(1, len(samples) - size + 1), step)
    return [
        (encode(samples[start : start + size], SAMPLE_RATE, subtype="FLOAT"), start / SAMPLE_RATE) for start in starts
    ]


def analyse_all(predictor: Predictor, parts: list[tuple[bytes, float]]) -> list[Chunk]:
    return [
        analyse_chunk(predictor, content, sequence=number, start=start, profile=None)
        for number, (content, start) in enumerate(parts)
    ]


def test_a_chunk_is_predicted_like_a_recording(predictor, samples):
    content = samples["happy"].read_bytes()
    found = analyse_chunk(predictor, content, sequence=4, start=2.5, profile=None)
    expected = predictor.predict(content)
    assert (found.sequence, found.start, found.end) == (4, 2.5, pytest.approx(2.5 + expected.duration_seconds))
    assert found.answer == {name: getattr(expected, name) for name in found.answer}
    assert found.speech.count("1") * FRAME_SAMPLES / SAMPLE_RATE == pytest.approx(expected.speech_seconds, abs=0.04)
    merged = merge_chunks(predictor.info, [replace(found, start=0.0, end=found.end - 2.5)], "clip.wav")
    assert merged.probabilities == pytest.approx(expected.probabilities, abs=1e-6)
    assert (merged.file, merged.state, merged.emotion) == ("clip.wav", expected.state, expected.emotion)


def test_overlapping_chunks_merge_to_the_prediction_of_the_recording(predictor, samples, encode):
    pause = np.zeros(3 * SAMPLE_RATE, np.float32)
    clips = {name: decode(samples[name]).samples for name in ("happy", "sad")}
    recording = np.concatenate([clips["happy"], clips["happy"], pause, clips["sad"], clips["sad"], pause])
    whole = predictor.predict(Waveform(recording, SAMPLE_RATE))
    assert whole.duration_seconds > 10 and len(whole.segments) > 1
    merged = merge_chunks(predictor.info, analyse_all(predictor, cut(encode, recording, 1.0)), "")
    assert merged.timeline.hop_seconds == 1.0 and merged.timeline.window_seconds == 3.0
    assert set(merged.timeline.start) <= set(whole.timeline.start) and len(merged.timeline.start) > 5
    assert [one.emotion for one in merged.segments] == [one.emotion for one in whole.segments]
    for live, recorded in zip(merged.segments, whole.segments, strict=True):
        assert (live.start, live.end) == pytest.approx((recorded.start, recorded.end), abs=0.5)
    assert merged.speech_seconds == pytest.approx(whole.speech_seconds, rel=0.15)
    assert [at.at for at in merged.transitions] == pytest.approx([at.at for at in whole.transitions], abs=1.0)


def test_chunk_order_does_not_change_the_result():
    chunks = [chunk(number, LABELS[number // 10]) for number in range(30)]
    mixed = random.Random(0).sample(chunks, 30)
    assert merge_chunks(INFO, sorted(mixed, key=lambda one: one.sequence), "x") == merge_chunks(INFO, chunks, "x")


@pytest.mark.parametrize("hop", [0.5, 1.0, 3.0])
def test_a_change_is_found_within_a_window(hop):
    each = round(12 / hop)
    chunks = [chunk(number, "happy" if number < each else "sad", hop=hop) for number in range(2 * each)]
    found = merge_chunks(INFO, chunks, "")
    assert [one.emotion for one in found.segments] == ["happy", "sad"]
    assert found.segments[0].start == 0 and found.segments[0].end == found.segments[1].start
    assert found.transitions[0].at == pytest.approx(12.0 + (3 - hop) / 2, abs=1.0)
    assert found.segments[1].end == pytest.approx(chunks[-1].end, abs=0.04) == found.duration_seconds


def test_missing_chunks_leave_a_gap():
    chunks = [chunk(number) for number in (*range(5), *range(20, 25))]
    found = merge_chunks(INFO, chunks, "")
    assert [(one.start, one.end) for one in found.segments] == [(0.0, 7.0), (pytest.approx(20, abs=0.04), 27.0)]
    assert found.timeline.start == [0, 1, 2, 3, 4, 20, 21, 22, 23, 24]
    assert found.speech_seconds == pytest.approx(14.0, abs=0.1)


def test_silence_and_empty_sessions_have_no_speech():
    for chunks in ([], [chunk(0, None), chunk(1, None)]):
        found = merge_chunks(INFO, chunks, "")
        assert (found.state, found.emotion, found.segments, found.timeline) == ("no_speech", None, [], None)
        assert found.duration_seconds == (4.0 if chunks else 0.0) and found.speech_seconds == 0
        assert summarise(found).confidence is None and summarise(found).speech_share == 0


def test_one_chunk_does_not_outvote_its_neighbours():
    lone = [chunk(number, "happy" if number == 5 else None) for number in range(12)]
    found = merge_chunks(INFO, lone, "")
    assert found.state == "no_speech" and found.segments == []
    pair = [chunk(number, "happy" if number in (5, 6) else None) for number in range(12)]
    assert merge_chunks(INFO, pair, "").segments[0].emotion == "happy"


def test_of_two_chunks_for_the_same_time_the_last_counts():
    chunks = [chunk(number, "happy") for number in range(8)]
    again = [replace(chunk(number, "sad"), sequence=number + 8) for number in range(8)]
    assert {one.emotion for one in merge_chunks(INFO, chunks + again, "").segments} == {"sad"}


def test_odd_starts_never_break_the_timeline():
    draw = np.random.default_rng(0)
    for _ in range(100):
        count = int(draw.integers(1, 40))
        chunks = []
        for number in range(count):
            length, start = float(draw.uniform(0.1, 3.0)), float(draw.choice([draw.uniform(0, 60), draw.integers(20)]))
            made = chunk(number, draw.choice([None, *LABELS]), length=length)
            chunks.append(replace(made, start=start, end=round(start + length, 3)))
        found = merge_chunks(INFO, chunks, "")
        for before, after in zip(found.segments, found.segments[1:], strict=False):
            assert 0 <= before.start < before.end <= after.start + 1e-9
        assert found.state == "no_speech" or sum(found.probabilities.values()) == pytest.approx(1)


def test_half_an_hour_is_merged_quickly():
    import time

    chunks = [chunk(number, LABELS[number // 60 % 3], hop=0.5) for number in range(3600)]
    started = time.process_time()
    found = merge_chunks(INFO, chunks, "")
    assert len(found.segments) > 20 and len(found.timeline.start) == 3600
    assert time.process_time() - started < 5


def test_three_seconds_are_accepted_and_longer_chunks_refused(predictor, encode):
    tone = np.sin(np.arange(round(3.005 * 48_000)) / 20).astype(np.float32)
    chunk = analyse_chunk(predictor, encode(tone, 48_000), sequence=0, start=0.0, profile=None)
    assert chunk.answer["state"] == "no_speech"
    with pytest.raises(AudioError, match="3.1 s long, the limit is 3 s") as caught:
        analyse_chunk(predictor, encode(np.append(tone, tone[: 48 * 100]), 48_000), sequence=0, start=0.0, profile=None)
    assert caught.value.code == "audio_too_long"


def test_the_digest_covers_audio_and_position():
    digests = {chunk_digest(content, start) for content in (b"a", b"b") for start in (0.0, 1.0)}
    assert len(digests) == 4 and chunk_digest(b"a", 1.0) in digests


def test_statistics_count_seconds_of_speech():
    chunks = [chunk(number, "happy" if number < 12 else "sad") for number in range(18)]
    found = summarise(merge_chunks(INFO, chunks, ""))
    assert list(found.seconds) == ["happy", "sad"] and found.transitions == 1
    assert sum(found.seconds.values()) == pytest.approx(20, abs=0.1)
    assert found.confidence == pytest.approx(80, abs=5) and found.unsure_seconds == 0
    assert found.speech_share == pytest.approx(100, abs=0.5)


def test_a_session_reports_what_a_recording_reports(samples, encode):
    whisper = load_predictor("whisper", load_settings({}))
    quiet = 0.005 * decode(samples["sad"].read_bytes(), 10).samples[: 2 * SAMPLE_RATE]
    content = encode(quiet, SAMPLE_RATE, subtype="FLOAT")
    one = whisper.predict(content)
    both = [analyse_chunk(whisper, content, sequence=number, start=2.0 * number, profile=None) for number in range(2)]
    session = merge_chunks(whisper.info, both, "")
    assert session.intensity == pytest.approx(one.intensity, abs=1e-4) and one.intensity is not None
    assert session.warning_codes == one.warning_codes == ["quiet", "unlike_training"]
    assert session.warnings == one.warnings
    older = [replace(own, answer={"state": "emotion", "probabilities": own.answer["probabilities"]}) for own in both]
    assert merge_chunks(whisper.info, older, "").intensity is None, "sessions started before it was stored have none"


def test_warnings_of_a_session_apply_to_most_of_its_chunks():
    def warned(*codes: tuple[str, ...]) -> list[str]:
        chunks = [chunk(number) for number in range(len(codes))]
        warns = [
            replace(own, answer={**own.answer, "warning_codes": had}) for own, had in zip(chunks, codes, strict=True)
        ]
        return merge_chunks(INFO, warns, "").warning_codes

    assert warned(("overdriven",), ("overdriven",), ()) == ["overdriven"]
    assert warned(("overdriven", "little_speech", "no_voice"), (), ()) == []


def test_the_page_and_the_server_compute_the_same_summary():
    """A synthetic session with a pause; the page's own tests expect the same values."""
    session = json.loads(PAGE_SESSION.read_text())
    names = ("state", "emotion", "confidence", "probabilities", "candidates")
    chunks = [
        Chunk(
            digest="",
            answer={name: answer[name] for name in names},
            **{name: answer[name] for name in ("sequence", "start", "end", "speech")},
        )
        for answer in session["answers"]
    ]
    assert asdict(summarise(merge_chunks(INFO, chunks, ""))) == session["statistics"]


def test_a_session_among_chosen_emotions_is_predicted_like_the_recording(predictor, samples):
    chosen, content = ("angry", "happy"), samples["happy"].read_bytes()
    part = analyse_chunk(predictor, content, sequence=0, start=0.0, profile=None, emotions=chosen)
    expected = predictor.predict(content, emotions=chosen)
    assert part.answer["probabilities"] == expected.probabilities
    merged = merge_chunks(predictor.info, [part], "", chosen)
    assert merged.probabilities == pytest.approx(expected.probabilities) and merged.emotions == list(chosen)
    assert (merged.emotion, merged.state) == (expected.emotion, expected.state)
    assert merge_chunks(predictor.info, [], "", chosen).state == "no_speech"


@pytest.fixture
def parts(samples, encode) -> list[tuple[bytes, float]]:
    """Chunks of speech that do not overlap, with their starts, 3 s apart."""
    whole = [decode(path).samples for path in samples.values()]
    clips = [part for clip in whole for part in (clip[: 5 * SAMPLE_RATE // 2], clip[-2 * SAMPLE_RATE :])]
    return [(encode(clip, SAMPLE_RATE, subtype="FLOAT"), 3.0 * number) for number, clip in enumerate(clips)]


def adapt_all(predictor: Predictor, parts: list[tuple[bytes, float]], **options) -> list[Chunk]:
    """Analyses chunks in order, each with those before it, as the server does."""
    chunks: list[Chunk] = []
    for number, (content, start) in enumerate(parts):
        earlier = [one for one in chunks if one.voice is not None]
        made = analyse_chunk(
            predictor, content, sequence=number, start=start, earlier=earlier, **{"profile": None, **options}
        )
        chunks.append(made)
    return chunks


def test_a_session_adapts_like_a_profile_of_its_chunks_so_far(voice_predictor, parts):
    chunks = adapt_all(voice_predictor, parts)
    for count, chunk in enumerate(chunks, 1):
        profile = voice_predictor.enroll("so far", [content for content, _ in parts[:count]])
        expected = voice_predictor.predict(parts[count - 1][0], profile=profile)
        assert chunk.answer["probabilities"] == pytest.approx(expected.probabilities, abs=1e-5)
        if count > 1:
            assert chunk.answer["adapted_seconds"] == pytest.approx(expected.adapted_seconds, abs=0.3)
    plain = voice_predictor.predict(parts[-1][0]).probabilities
    assert chunks[-1].answer["probabilities"] != pytest.approx(plain, abs=1e-2)


def test_a_session_adapts_to_more_and_more_speech(voice_predictor, parts):
    chunks = adapt_all(voice_predictor, parts)
    seconds = [chunk.answer["adapted_seconds"] for chunk in chunks]
    assert seconds[0] == 0 and seconds[1:] == sorted(set(seconds[1:])) and seconds[1] > 1
    session = merge_chunks(voice_predictor.info, chunks, "")
    assert session.adapted_seconds == seconds[-1]
    assert adapt_all(voice_predictor, parts[:3])[2].answer == chunks[2].answer, "later chunks change nothing"


def test_chunks_that_overlap_count_less(voice_predictor, samples, encode):
    speech = np.concatenate([decode(path).samples for path in samples.values()])
    apart, close = (adapt_all(voice_predictor, cut(encode, speech, hop))[-1].answer for hop in (3.0, 1.0))
    assert close["adapted_seconds"] == pytest.approx(apart["adapted_seconds"], abs=2.5)


def test_silence_is_not_adapted_to(voice_predictor, parts, encode):
    silent = encode(np.zeros(3 * SAMPLE_RATE, np.float32), SAMPLE_RATE)
    with_pause = adapt_all(voice_predictor, [parts[0], (silent, 3.0), (parts[1][0], 6.0), (parts[2][0], 9.0)])
    assert with_pause[1].voice is None and with_pause[1].answer["adapted_seconds"] == 0
    without = adapt_all(voice_predictor, parts[:3])
    assert with_pause[3].answer["probabilities"] == pytest.approx(without[2].answer["probabilities"], abs=1e-6)


def test_a_session_with_a_profile_adapts_to_the_profile_only(voice_predictor, parts):
    profile = voice_predictor.enroll("asha", [content for content, _ in parts[:3]])
    for chunk, (content, _) in zip(adapt_all(voice_predictor, parts, profile=profile), parts, strict=True):
        expected = voice_predictor.predict(content, profile=profile)
        assert chunk.answer["probabilities"] == pytest.approx(expected.probabilities, abs=1e-6)
        assert chunk.answer["adapted_seconds"] == profile.speech_seconds


def test_a_model_that_cannot_adapt_stores_no_embedding(predictor, parts):
    chunks = adapt_all(predictor, parts)
    assert [chunk.voice for chunk in chunks] == [None] * len(parts)
    assert {chunk.answer["adapted_seconds"] for chunk in chunks} == {0}


def test_chunks_with_the_same_start_still_give_an_answer(voice_predictor, parts):
    again = [(content, 0.0) for content, _ in parts[:3]]
    for found in (adapt_all(voice_predictor, again), adapt_all(voice_predictor, [*parts[:2], (parts[3][0], 3.0)])):
        assert sum(found[-1].answer["probabilities"].values()) == pytest.approx(1)
        assert found[-1].answer["adapted_seconds"] > 0


def test_a_session_of_unfamiliar_chunks_is_unfamiliar():
    far = Calibration(temperature=1.0, unsure_below=0.9)
    info = replace(INFO, calibration=replace(INFO.calibration, unfamiliar=far))
    chunks = [chunk(number) for number in range(4)]
    warned = [replace(one, answer={**one.answer, "warning_codes": ["unlike_training"]}) for one in chunks]
    assert merge_chunks(info, chunks, "").state == "emotion"
    found = merge_chunks(info, warned, "")
    assert (found.state, found.warning_codes) == ("unsure", ["unlike_training"])
    silent = [chunk(number, None) for number in range(4, 12)]
    assert merge_chunks(info, [*warned, *silent], "").warning_codes == ["unlike_training"], "silence does not count"
    assert merge_chunks(info, [*warned[:1], *chunks[1:]], "").warning_codes == []
