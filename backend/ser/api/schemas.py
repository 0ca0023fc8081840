"""Defines the JSON shapes of the API as pydantic models, from which OpenAPI document and page types are generated."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ser.api.errors import KINDS
from ser.core.labels import EMOTIONS
from ser.core.prediction import WARNINGS

Emotion = Literal[EMOTIONS]


Probabilities = Field(
    description="emotion -> probability, summing to 1; empty without speech",
    examples=[{"angry": 0.06, "happy": 0.87, "sad": 0.07}],
)


class Shape(BaseModel):
    """Base class of all shapes, which are read from the result types of ``ser.core``."""

    model_config = ConfigDict(from_attributes=True)


class Segment(Shape):
    """A stretch of speech with one answer."""

    start: float = Field(ge=0, description="s from the beginning")
    end: float = Field(ge=0, description="s from the beginning")
    emotion: Emotion
    confidence: float = Field(ge=0, le=100, description="mean probability over the stretch, in percent")
    state: Literal["emotion", "unsure"]


class Transition(Shape):
    """One emotion follows another."""

    at: float = Field(ge=0, description="s from the beginning")
    before: Emotion
    after: Emotion


class Timeline(Shape):
    """The probabilities of each window of a recording, smoothed over neighbouring windows."""

    window_seconds: float = Field(gt=0, description="length of a window in s")
    hop_seconds: float = Field(gt=0, description="from the start of one window to the start of the next in s")
    start: list[float] = Field(description="start of each window with speech in s")
    end: list[float] = Field(description="end of each window in s")
    probabilities: dict[str, list[float]] = Field(description="emotion -> its probability in each window")


class Prediction(Shape):
    """The emotion of a recording, with its confidence and how both change over time."""

    file: str = Field(description="name of the recording as sent by the client")
    state: Literal["emotion", "unsure", "no_speech"] = Field(
        description="'unsure': no emotion is likely enough, see candidates; 'no_speech': no speech was found"
    )
    emotion: Emotion | None = Field(description="the likeliest emotion; null without speech")
    confidence: float | None = Field(ge=0, le=100, description="calibrated probability in percent; null without speech")
    probabilities: dict[str, float] = Probabilities
    candidates: list[Emotion] = Field(description="the likely emotions, likeliest first; empty unless unsure")
    model: str = Field(description="name of the model")
    duration_seconds: float = Field(ge=0, description="length of the recording in s")
    speech_seconds: float = Field(ge=0, description="amount of speech in s")
    segments: list[Segment] = Field(description="the answer over time, speech only")
    warnings: list[str] = Field(description="sentences for a person")
    warning_codes: list[Literal[tuple(WARNINGS)]] = Field(
        description="stable codes of the warnings, in the same order; empty in results stored by older versions"
    )
    dominant: Emotion | None = Field(description="the emotion of most of the speech; null without speech")
    transitions: list[Transition] = Field(description="changes from one emotion to another")
    timeline: Timeline | None = Field(description="the probabilities of each window; null without speech")
    prediction_set: list[Emotion] | None = Field(
        description="if a coverage was requested: emotions that contain the right one this often, likeliest first"
    )
    intensity: float | None = Field(
        ge=0,
        le=1,
        description="how strongly the emotion is expressed, for ranking; null from models without this output",
    )
    emotions: list[Emotion] = Field(description="emotions that the answer was chosen from; empty if all of the model")
    adapted_seconds: float = Field(ge=0, description="s of the speaker's speech that the answer is adapted to; 0: none")


class ShortPrediction(Shape):
    """The likeliest emotion with all probabilities, from 0 to 1."""

    emotion: Emotion | None = Field(description="null without speech")
    confidence: float | None = Field(ge=0, le=1, description="probability of the emotion; null without speech")
    probabilities: dict[str, float] = Probabilities
    timestamp: datetime = Field(description="time of the answer, UTC")


class Attention(Shape):
    """How much each moment of a recording contributed to the prediction."""

    kind: Literal["attention", "saliency"] = Field(
        description="'attention': weights of the network; 'saliency': gradients of a network without attention"
    )
    start: list[float] = Field(description="start of each stretch in s; parts that the model did not use are left out")
    end: list[float] = Field(description="its end in s")
    weight: list[float] = Field(description="relative weight, from 0 to 1 for the largest")


class Descriptor(Shape):
    """One number about a voice."""

    name: str = Field(description="stable identifier", examples=["pitch"])
    value: float | None = Field(description="null if it cannot be measured")
    unit: str
    meaning: str = Field(description="an explanation in one sentence")


class Curve(Shape):
    """One measure of a voice over time."""

    name: str = Field(description="same as of the descriptor", examples=["pitch"])
    unit: str
    times: list[float] = Field(description="in s")
    values: list[float | None] = Field(description="null where it cannot be measured")


class Findings(Shape):
    """The full analysis of a recording."""

    prediction: Prediction
    attention: Attention | None = Field(description="null without speech and from models that take a clip as a whole")
    descriptors: list[Descriptor]
    curves: list[Curve] = Field(description="at most 20 values per second, and 5000 in total")


class Analysis(Findings):
    """The full analysis of a recording, and the session it was stored as."""

    session: str | None = Field(description="id of the session that it was stored as; null if it was not stored")


class Health(Shape):
    """The server answers and its default model is loaded."""

    status: Literal["ok"]
    models: list[str] = Field(description="models in memory")
    version: str


class Ready(Shape):
    """The server accepts recordings now."""

    status: Literal["ready"]


class Figure(Shape):
    """A figure with the corpus, protocol, classes and seeds it belongs to; in percent."""

    corpus: str
    protocol: str
    classes: int = Field(ge=2)
    speaker_independent: bool = Field(description="whether no test speaker was in training")
    ua: float = Field(ge=0, le=100, description="unweighted average recall")
    ua_std: float = Field(ge=0, description="its standard deviation over seeds")
    wa: float = Field(ge=0, le=100, description="accuracy")
    f1: float = Field(ge=0, le=100, description="macro F1")
    weighted_f1: float = Field(ge=0, le=100, description="F1 weighted by class size")
    seeds: int = Field(ge=1)
    interval: tuple[float, float] = Field(description="95 % bootstrap interval of the UA over speakers")


class Model(Shape):
    """A model that a request may name."""

    name: str
    title: str
    summary: str
    labels: list[Emotion]
    sample_rate: int = Field(gt=0, description="Hz")
    parameters: int = Field(gt=0)
    corpora: list[str]
    licence: str = Field(description="of the training data, which also applies to the weights")
    commercial_use: bool = Field(description="whether that licence allows commercial use, under its terms")
    most_accurate: bool = Field(
        description="whether it has the highest UA on unseen speakers; models for several corpora come first"
    )
    figure: Figure | None = Field(description="on unseen speakers; null if there is none")
    figures: list[Figure] = Field(description="all figures, for instance one per corpus")
    leaky_figure: Figure | None = Field(
        description="on speakers that are also in training: too good, for comparison only"
    )
    profiles: bool = Field(description="whether it supports speaker profiles, see POST /api/v1/profiles")


class Models(Shape):
    """The models of this server."""

    default: str = Field(description="the model used when a request names none")
    models: list[Model]


class Limits(Shape):
    """The limits of a request."""

    max_upload_bytes: int = Field(gt=0, description="largest request body in bytes")
    max_audio_seconds: float = Field(gt=0, description="longest recording in s")
    min_audio_seconds: float = Field(gt=0, description="shortest recording in s")
    formats: list[str]


class Version(Shape):
    """The version of the software."""

    version: str


class Problem(Shape):
    """An error (RFC 9457)."""

    type: str = Field(description="link to the explanation of the code", json_schema_extra={"format": "uri-reference"})
    title: str
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="what was sent, what was expected, what to do")
    code: Literal[tuple(KINDS)] = Field(description="stable code for programs")
    request_id: str = Field(description="also in the header X-Request-ID and in the server's log")
