"""Owns the JSON shapes of the API as pydantic models; the OpenAPI document and the page's types are made from them."""

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
    """What all shapes have in common: they are read from the core's result types."""

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
    """What each window of a recording carries, smoothed over neighbouring windows."""

    window_seconds: float = Field(gt=0, description="length of a window in s")
    hop_seconds: float = Field(gt=0, description="from the beginning of one window to that of the next in s")
    start: list[float] = Field(description="where each window with speech begins, in s")
    end: list[float] = Field(description="where it ends, in s")
    probabilities: dict[str, list[float]] = Field(description="emotion -> its probability in each of the windows")


class Prediction(Shape):
    """What a voice carries, and how sure that is."""

    file: str = Field(description="name of the recording as the client gave it")
    state: Literal["emotion", "unsure", "no_speech"] = Field(
        description="'unsure': too close to call, see candidates; 'no_speech': nobody speaks, no emotion is claimed"
    )
    emotion: Emotion | None = Field(description="the likeliest emotion; null without speech")
    confidence: float | None = Field(ge=0, le=100, description="calibrated probability in percent; null without speech")
    probabilities: dict[str, float] = Probabilities
    candidates: list[Emotion] = Field(description="likeliest first; only filled when unsure")
    model: str = Field(description="name of the model that answered")
    duration_seconds: float = Field(ge=0, description="length of the recording in s")
    speech_seconds: float = Field(ge=0, description="how much of it is speech in s")
    segments: list[Segment] = Field(description="the answer over time, speech only")
    warnings: list[str] = Field(description="sentences for a person")
    warning_codes: list[Literal[tuple(WARNINGS)]] = Field(
        description="stable words for them, in the same order; empty in what was kept before there were any"
    )
    dominant: Emotion | None = Field(description="what the most speech carries; null without speech")
    transitions: list[Transition] = Field(description="where one emotion follows another")
    timeline: Timeline | None = Field(description="the probabilities window by window; null without speech")
    prediction_set: list[Emotion] | None = Field(
        description="where a coverage was asked for: emotions that hold the right one so often, likeliest first"
    )
    intensity: float | None = Field(
        ge=0, le=1, description="how strongly the emotion is expressed, to rank by; null from models that do not tell"
    )


class ShortPrediction(Shape):
    """The likeliest emotion with all probabilities as shares of 1."""

    emotion: Emotion | None = Field(description="null without speech")
    confidence: float | None = Field(ge=0, le=1, description="probability of the emotion; null without speech")
    probabilities: dict[str, float] = Probabilities
    timestamp: datetime = Field(description="when it was answered, UTC")


class Attention(Shape):
    """How much each moment of a recording counted."""

    kind: Literal["attention", "saliency"] = Field(
        description="'attention': the network's own; 'saliency': read off the gradients of a network that has none"
    )
    start: list[float] = Field(description="where each stretch begins, in s; what the model did not hear is left out")
    end: list[float] = Field(description="where it ends, in s")
    weight: list[float] = Field(description="how much it counted, from 0 to 1, which is the most")


class Descriptor(Shape):
    """One number about a voice."""

    name: str = Field(description="stable, for programs", examples=["pitch"])
    value: float | None = Field(description="null where there is nothing to measure")
    unit: str
    meaning: str = Field(description="one sentence for a person")


class Curve(Shape):
    """One thing about a voice over time."""

    name: str = Field(description="as the descriptor's", examples=["pitch"])
    unit: str
    times: list[float] = Field(description="in s")
    values: list[float | None] = Field(description="null where there is nothing to measure")


class Findings(Shape):
    """Everything that can be said about a recording."""

    prediction: Prediction
    attention: Attention | None = Field(description="null without speech and from models that take a clip whole")
    descriptors: list[Descriptor]
    curves: list[Curve] = Field(description="at most 20 values a second, and 5000 in all")


class Analysis(Findings):
    """Everything that can be said about a recording, and where it was kept."""

    session: str | None = Field(description="id of the session that it was kept as; null where it was not")


class Health(Shape):
    """The server answers and its default model is loaded."""

    status: Literal["ok"]
    models: list[str] = Field(description="models in memory")
    version: str


class Ready(Shape):
    """The server can take work now."""

    status: Literal["ready"]


class Figure(Shape):
    """A measured figure with everything that makes it one; shares in percent."""

    corpus: str
    protocol: str
    classes: int = Field(ge=2)
    speaker_independent: bool = Field(description="whether the speakers it was measured on were never heard before")
    ua: float = Field(ge=0, le=100, description="unweighted average recall")
    ua_std: float = Field(ge=0, description="its standard deviation over seeds")
    wa: float = Field(ge=0, le=100, description="accuracy")
    f1: float = Field(ge=0, le=100, description="macro F1")
    weighted_f1: float = Field(ge=0, le=100, description="F1 weighted by class size")
    seeds: int = Field(ge=1)
    interval: tuple[float, float] = Field(description="95 % interval of the UA over speakers")


class Model(Shape):
    """A model that a request may name."""

    name: str
    title: str
    summary: str
    labels: list[Emotion]
    sample_rate: int = Field(gt=0, description="Hz")
    parameters: int = Field(gt=0)
    corpora: list[str]
    licence: str
    figure: Figure | None = Field(description="on unseen speakers; null where none was measured")
    figures: list[Figure] = Field(description="all that were measured, such as one for each corpus")
    leaky_figure: Figure | None = Field(description="on speakers heard in training: too good, for comparison only")
    profiles: bool = Field(description="whether it can be calibrated to a voice, see POST /api/v1/profiles")


class Models(Shape):
    """The models of this server."""

    default: str = Field(description="answers when a request names none")
    models: list[Model]


class Limits(Shape):
    """What a request may be."""

    max_upload_bytes: int = Field(gt=0, description="largest request body in bytes")
    max_audio_seconds: float = Field(gt=0, description="longest recording in s")
    min_audio_seconds: float = Field(gt=0, description="shortest recording in s")
    formats: list[str]


class Version(Shape):
    """The version of the software."""

    version: str


class Problem(Shape):
    """What went wrong (RFC 9457)."""

    type: str = Field(description="where the code is explained", json_schema_extra={"format": "uri-reference"})
    title: str
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="what came, what was expected, what to do")
    code: Literal[tuple(KINDS)] = Field(description="stable word for programs")
    request_id: str = Field(description="also in the header X-Request-ID and in the server's log")
