"""Records the probabilities of every shipped model on the three sample clips; run it after new weights:

python -m tests.tools.record_golden
"""

from __future__ import annotations

import json
from pathlib import Path

from ser.core.settings import PROJECT, load_settings
from ser.inference.predictor import load_predictor
from ser.models.checkpoint import list_models


def main() -> None:
    """Writes ``tests/golden.json``."""
    settings = load_settings({})
    clips = sorted((PROJECT / "frontend" / "public" / "samples").glob("*.wav"))
    golden = {}
    for info in list_models(settings.weights):
        predictor = load_predictor(info.name, settings)
        golden[info.name] = {clip.stem: predictor.predict(clip).probabilities for clip in clips}
    text = json.dumps(golden, indent=2) + "\n"
    Path(__file__).parents[1].joinpath("golden.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
