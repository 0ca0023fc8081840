"""Analyses the chunks of a live session, and merges them into the session's ``Prediction``.

A chunk is analysed on its own, by whichever process receives it. Its result is stored together with its speech frames,
and the session's prediction is computed from all stored chunks, in whatever order they arrived. Chunks may overlap:
then they are the windows of a recording, and the session's prediction is nearly that of the recording.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ser.audio.decode_worker import Decode
from ser.audio.vad import FRAME_SAMPLES, Speech
from ser.audio.waveform import SAMPLE_RATE, decode
from ser.core.errors import AudioError
from ser.core.labels import canonical_order
from ser.core.prediction import Prediction
from ser.core.speaker_profile import Profile
from ser.inference.adaptation import Speaker
from ser.inference.postprocess import WindowResults, make_prediction
from ser.inference.predictor import SHORT_SPEECH_SECONDS, Encoded, Predictor
from ser.inference.windowing import HOP_SECONDS, MIN_HOP_SECONDS, MIN_SPEECH_SECONDS, WINDOW_SECONDS, Grid, Window
from ser.models.checkpoint import ModelInfo
from ser.storage.sessions import Chunk

CHUNK_SECONDS = 3.0  # the longest chunk
ROUNDING_SECONDS = 0.01  # tolerance for chunks that resampling in a browser made longer
ADAPTED_CHUNKS = 120  # the last ones, so that a session also adapts to a change of speaker
DECODED_SECONDS = 60.0  # enough to report the length of a chunk that is too long
RESULT_FIELDS = (
    "state",
    "emotion",
    "confidence",
    "probabilities",
    "candidates",
    "intensity",
    "warning_codes",
    "adapted_seconds",
)
RECORDING_WARNINGS = ("overdriven", "quiet", "narrow_band")  # apply to a session if at least half of its chunks do


def chunk_digest(content: bytes, start: float) -> str:
    """Returns a digest of a chunk, by which a repeated request is recognised."""
    return hashlib.sha256(f"{start!r}:".encode() + content).hexdigest()


def analyse_chunk(
    predictor: Predictor,
    content: bytes,
    *,
    sequence: int,
    start: float,
    profile: Profile | None,
    earlier: Sequence[Chunk] = (),
    emotions: Sequence[str] = (),
    decode: Decode = decode,
) -> Chunk:
    """Predicts the emotion of one chunk; without a profile, adapted to the speech of earlier chunks and its own.

    Args:
        predictor: the session's model.
        content: a complete audio file, such as WAV.
        sequence: its number in the session.
        start: where it starts in s.
        profile: of the speaker.
        earlier: chunks of the session with speech, before this one; at most ``ADAPTED_CHUNKS`` are needed.
        emotions: that the session's answers are chosen from; empty for all.
        decode: decodes the chunk.

    Raises:
        AudioError: the chunk cannot be used, or is longer than ``CHUNK_SECONDS``.
        ProfileError: the profile is of another model.
        SettingsError: the model does not know the emotions.
    """
    waveform = decode(content, DECODED_SECONDS)
    if waveform.seconds > CHUNK_SECONDS + ROUNDING_SECONDS:
        raise AudioError(
            f"The chunk is {waveform.seconds:.1f} s long, the limit is {CHUNK_SECONDS:g} s; send shorter chunks.",
            "audio_too_long",
        )
    encoded = predictor.encode(waveform)
    end = round(start + waveform.seconds, 3)
    speaker = None if profile is None else predictor.speaker_of(profile)
    if speaker is None and predictor.adapts and encoded.outputs is not None and earlier:
        speaker = _speaker(predictor, earlier, encoded, start, end)
    shape = predictor.answer(encoded, emotions=emotions, speaker=speaker).to_dict()
    return Chunk(
        sequence=sequence,
        digest=chunk_digest(content, start),
        start=start,
        end=end,
        speech="".join("1" if frame else "0" for frame in encoded.speech.measured),
        answer={name: shape[name] for name in RESULT_FIELDS},
        voice=None if encoded.outputs is None or not predictor.adapts else encoded.outputs.embeddings[0].numpy(),
    )


def _speaker(predictor: Predictor, earlier: Sequence[Chunk], encoded: Encoded, start: float, end: float) -> Speaker:
    """Estimates the speaker from earlier chunks and the one from ``start`` to ``end``; overlapping ones count less."""
    spans = [*((chunk.start, chunk.end) for chunk in earlier), (start, end)]
    steps = np.diff(np.unique([begin for begin, _ in spans]))
    step = float(np.median(steps)) if len(steps) else HOP_SECONDS
    clips = np.array([min(1.0, step / (stop - begin)) for begin, stop in spans])
    spoken = [chunk.speech.count("1") * FRAME_SAMPLES / SAMPLE_RATE for chunk in earlier]
    embeddings = np.stack([*(chunk.voice for chunk in earlier), encoded.outputs.embeddings[0].numpy()])
    return predictor.estimate_from(embeddings, clips, np.array([*spoken, encoded.speech.seconds]))


def merge_chunks(info: ModelInfo, chunks: Sequence[Chunk], title: str, emotions: Sequence[str] = ()) -> Prediction:
    """Merges the chunks of a session into one prediction.

    Args:
        info: the session's model.
        chunks: by number; any may be missing.
        title: name of the prediction.
        emotions: that the answers were chosen from, in canonical order; empty for all.

    Returns:
        The prediction as for a recording; "no speech" without a chunk.
    """
    grid = _grid(chunks)
    speech = _speech(chunks)
    spoken = _windows(chunks, speech, grid)
    labels = tuple(emotions) or canonical_order(info.labels)
    rows = [[chunk.answer["probabilities"][label] for label in labels] for _, chunk in spoken]
    intensities = [chunk.answer.get("intensity") for _, chunk in spoken]  # chunks stored by earlier versions have none
    results = WindowResults(
        speech=speech,
        windows=[window for window, _ in spoken],
        probabilities=np.array(rows).reshape(len(rows), len(labels)),
        grid=grid,
        intensities=None if not spoken or None in intensities else np.array(intensities),
        emotions=tuple(emotions),
    )
    warnings = _warnings(chunks, results)
    calibration = info.calibration.among(tuple(emotions), unfamiliar="unlike_training" in warnings)
    return make_prediction(
        info,
        results,
        file=title,
        duration_seconds=max((chunk.end for chunk in chunks), default=0.0),
        unsure_below=calibration.unsure_below,
        warnings=warnings,
        adapted_seconds=max((chunk.answer.get("adapted_seconds", 0.0) for chunk in chunks), default=0.0),
    )


def _warnings(chunks: Sequence[Chunk], results: WindowResults) -> list[str]:
    """The codes of the warnings about a session."""
    counts = Counter(code for chunk in chunks for code in chunk.answer.get("warning_codes", ()))
    spoken = sum(bool(chunk.answer["probabilities"]) for chunk in chunks)
    most = {code: len(chunks) for code in RECORDING_WARNINGS} | {"unlike_training": spoken}  # it is about speech only
    found = [code for code, of in most.items() if counts[code] and 2 * counts[code] >= of]
    if 0 < results.speech.seconds < SHORT_SPEECH_SECONDS:
        found.append("little_speech")
    if counts["no_voice"] and not results.windows:
        found.append("no_voice")
    return found


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """Summary statistics of a session.

    Attributes:
        seconds: emotion -> s of speech with it, longest first.
        unsure_seconds: how much of that is unsure.
        transitions: how often one emotion follows another.
        confidence: mean over the speech in percent, None without.
        speech_share: share of the session that is speech, in percent.
    """

    seconds: dict[str, float]
    unsure_seconds: float
    transitions: int
    confidence: float | None
    speech_share: float


def summarise(prediction: Prediction) -> Statistics:
    """Computes the summary statistics of a prediction."""
    seconds: dict[str, float] = defaultdict(float)
    unsure = weighted = 0.0
    for segment in prediction.segments:
        length = segment.end - segment.start
        seconds[segment.emotion] += length
        unsure += length if segment.state == "unsure" else 0.0
        weighted += length * segment.confidence
    total = sum(seconds.values())
    share = prediction.speech_seconds / prediction.duration_seconds if prediction.duration_seconds else 0.0
    return Statistics(
        seconds={name: round(seconds[name], 3) for name in sorted(seconds, key=seconds.get, reverse=True)},
        unsure_seconds=round(unsure, 3),
        transitions=len(prediction.transitions),
        confidence=round(weighted / total, 2) if total else None,
        speech_share=round(100 * share, 3),  # rounded only for display
    )


def result_of(prediction: Prediction) -> dict[str, object]:
    """Returns the stored result of a live session, in the shape of an analysed recording; no audio is stored."""
    return {"prediction": prediction.to_dict(), "attention": None, "descriptors": [], "curves": []}


def _grid(chunks: Sequence[Chunk]) -> Grid:
    """The grid of the chunks: the median step, and the length of the longest chunk."""
    steps = np.diff(np.unique([chunk.start for chunk in chunks]))
    hop = round(float(np.median(steps)), 3) if len(steps) else HOP_SECONDS
    longest = max((chunk.end - chunk.start for chunk in chunks), default=WINDOW_SECONDS)
    return Grid(window_seconds=round(longest, 3), hop_seconds=max(hop, MIN_HOP_SECONDS), always=True)


def _speech(chunks: Sequence[Chunk]) -> Speech:
    """Where speech is in the session: in frames where at least half of the chunks that cover them have speech."""
    places = [(round(chunk.start * SAMPLE_RATE / FRAME_SAMPLES), chunk.speech) for chunk in chunks]
    votes = np.zeros(max((first + len(speech) for first, speech in places), default=0))
    covered = np.zeros(len(votes))
    for first, speech in places:
        votes[first : first + len(speech)] += np.frombuffer(speech.encode(), np.uint8) == ord("1")
        covered[first : first + len(speech)] += 1
    end = max((chunk.end for chunk in chunks), default=0.0)
    return Speech((votes > 0) & (2 * votes >= covered), round(end * SAMPLE_RATE))


def _windows(chunks: Sequence[Chunk], speech: Speech, grid: Grid) -> list[tuple[Window, Chunk]]:
    """The chunks with speech as windows on the grid, one per place: of several the one sent last."""
    origin = min((chunk.start for chunk in chunks), default=0.0)
    spoken = [chunk for chunk in chunks if chunk.answer["probabilities"]] if speech.active.any() else []
    places = {round((chunk.start - origin) / grid.hop_seconds): chunk for chunk in spoken}
    found: list[tuple[Window, Chunk]] = []
    for place in sorted(places):
        start = round(origin * SAMPLE_RATE) + place * round(grid.hop_seconds * SAMPLE_RATE)
        stop = min(start + round((places[place].end - places[place].start) * SAMPLE_RATE), speech.samples)
        window = Window(slice(start, stop), speech.seconds_between(start, stop))
        found += [(window, places[place])] if window.speech_seconds else []  # outvoted by its neighbours
    enough = [pair for pair in found if pair[0].speech_seconds >= MIN_SPEECH_SECONDS]
    return enough or sorted(found, key=lambda pair: -pair[0].speech_seconds)[:1]
