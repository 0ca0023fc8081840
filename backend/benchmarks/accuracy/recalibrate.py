"""Fits the calibration of shipped models again: ``python -m benchmarks.accuracy.recalibrate``.

It is fitted to the out-of-fold predictions in ``evaluation``, as when the model was trained, and written into
``config.json`` with the figures as served; the weights do not change. Arguments: names of models, all by default.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from ser.core.atomic_write import write_text
from ser.core.settings import PROJECT
from ser.evaluation.metrics_file import read_metrics
from ser.models.checkpoint import CONFIG_FILE, ModelInfo, list_models
from ser.training.served_calibration import calibrate_evaluations

WEIGHTS = PROJECT / "weights"


def main(names: list[str]) -> None:
    """Writes the calibration of each named model and prints it."""
    infos = {info.name: info for info in list_models(WEIGHTS)}
    for name in names or sorted(infos):
        recalibrate(WEIGHTS / name, infos[name])


def recalibrate(folder: Path, info: ModelInfo) -> None:
    """Fits a model's calibration to its evaluations again, and writes it and their metrics.

    Raises:
        ProtocolError: the model has no evaluation on unseen speakers.
    """
    calibration = calibrate_evaluations(folder / "evaluation")
    file = folder / CONFIG_FILE
    config = json.loads(file.read_text(encoding="utf-8"))
    config["calibration"] = asdict(calibration)
    metrics = [read_metrics(folder / "evaluation" / figure.folder) for figure in info.figures]
    config["figures"] = [asdict(one.figure) for one in metrics]
    write_text(file, json.dumps(config, indent=2) + "\n")
    kinds = {"familiar": calibration, "unfamiliar": calibration.unfamiliar}
    for kind, own in kinds.items():
        if own is not None:
            print(f"{info.name}, {kind} recordings: temperature {own.temperature}, sure from {own.unsure_below} on")


if __name__ == "__main__":
    main(sys.argv[1:])
