"""Fuzzes decoding, form parsing and exports: ``python -m tests.tools.fuzz``, in backend/.

The fuzzing is coverage-guided with atheris, which has wheels for Linux only and is therefore not part of the
environment: CI installs it separately (``.ci/run``, ``tools.lock``) and fuzzes for a minute. Options of libFuzzer are
accepted, such as ``-max_total_time=60``; an input that causes a failure is printed and written to a file, which can be
passed again. Property tests check the same with random bytes on every system.
"""

from __future__ import annotations

import io
import json
import sys

import atheris

with atheris.instrument_imports(include=["ser", "werkzeug", "soundfile"]):
    from flask import Flask

    from ser.api.errors import RequestError
    from ser.api.uploads import MemoryRequest, read_upload
    from ser.audio.waveform import decode
    from ser.core.errors import AudioError
    from ser.core.prediction import Prediction, Segment
    from ser.inference.export import FORMATS, to_csv

application = Flask(__name__)
application.request_class = MemoryRequest


def recording(data: bytes) -> None:
    """Decodes arbitrary bytes, which may be refused."""
    try:
        decode(data, 60.0)
    except AudioError:
        return


def form(data: bytes) -> None:
    """Parses arbitrary bytes as a form, which may be refused."""
    with application.test_request_context(
        "/upload", method="POST", input_stream=io.BytesIO(data), content_type="multipart/form-data; boundary=cut"
    ):
        try:
            read_upload()
        except RequestError:
            return


def exports(data: bytes) -> None:
    """Exports a prediction with arbitrary text in every format."""
    text = data.decode("utf-8", "replace")
    prediction = Prediction(
        file=text,
        state="emotion",
        emotion="happy",
        confidence=50.0,
        probabilities={"happy": 1.0},
        candidates=[],
        model=text,
        duration_seconds=1.0,
        speech_seconds=1.0,
        segments=[Segment(start=0.0, end=1.0, emotion="happy", confidence=50.0)],
        warnings=[text],
    )
    assert Prediction.from_dict(json.loads(prediction.to_json())) == prediction
    for one in FORMATS.values():
        one.write(prediction)
    to_csv([prediction])


TARGETS = (recording, form, exports)


def test_one_input(data: bytes) -> None:
    """Passes the bytes after the first one to the target which that byte selects."""
    if data:
        TARGETS[data[0] % len(TARGETS)](data[1:])


if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
