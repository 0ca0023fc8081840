"""Fits the calibration of chosen emotions of shipped models again: ``python -m benchmarks.accuracy.recalibrate``.

It is fitted on the out-of-fold predictions of the model's evaluation on unseen speakers, as when the model was trained,
and written into ``config.json``; nothing else changes. Arguments: names of models, all by default.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from ser.core.atomic_write import write_text
from ser.core.errors import ProtocolError
from ser.core.settings import PROJECT
from ser.models.checkpoint import CONFIG_FILE, ModelInfo, list_models
from ser.training.train import calibrate_by_size

WEIGHTS = PROJECT / "weights"


def main(names: list[str]) -> None:
    """Writes the calibration of each named model and prints it."""
    infos = {info.name: info for info in list_models(WEIGHTS)}
    for name in names or sorted(infos):
        recalibrate(WEIGHTS / name, infos[name])


def recalibrate(folder: Path, info: ModelInfo) -> None:
    """Writes the calibration of a model into its ``config.json``.

    Raises:
        ProtocolError: the model has no out-of-fold predictions of its own labels.
    """
    file = folder / CONFIG_FILE
    config = json.loads(file.read_text(encoding="utf-8"))
    config["calibration"] = asdict(calibrate_by_size(headline(folder, info), info.labels, info.calibration))
    write_text(file, json.dumps(config, indent=2) + "\n")
    for size, own in config["calibration"]["by_size"].items():
        print(f"{info.name}, {size} emotions: temperature {own['temperature']}, unsure below {own['unsure_below']}")


def headline(folder: Path, info: ModelInfo) -> Path:
    """Returns the folder of the evaluation on unseen speakers, of all corpora and labels of the model."""
    protocols = {figure.protocol for figure in info.unseen_figures}
    found = [folder / "evaluation" / f"{'+'.join(info.corpora)}-{one}-{len(info.labels)}classes" for one in protocols]
    for one in found:
        if any(one.glob("out_of_fold_seed*.csv")):
            return one
    raise ProtocolError(
        f"{folder} has no out-of-fold predictions of unseen speakers with all {len(info.labels)} labels."
    )


if __name__ == "__main__":
    main(sys.argv[1:])
