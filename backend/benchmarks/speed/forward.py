"""Measures the time of each network for a clip of 3.5 s, on one core: ``python -m benchmarks.speed.forward``.

From samples to logits, features included; the median of ROUNDS after a warm-up. Run in backend/.
"""

from __future__ import annotations

import statistics
import time

import torch

from ser.core.settings import load_settings
from ser.models.checkpoint import list_models, load_checkpoint

SECONDS, ROUNDS, WARM_UP = 3.5, 50, 5


@torch.inference_mode()
def main() -> None:
    """Prints one line for every model that ships."""
    torch.set_num_threads(1)
    weights = load_settings().weights
    for info in list_models(weights):
        checkpoint = load_checkpoint(weights / info.name)
        samples = 0.1 * torch.randn(1, int(SECONDS * info.sample_rate), generator=torch.Generator().manual_seed(0))
        length = torch.tensor([samples.shape[1]])
        took = []
        for _ in range(WARM_UP + ROUNDS):
            began = time.perf_counter()
            checkpoint.network(*checkpoint.features(samples, length))
            took.append(1000 * (time.perf_counter() - began))
        print(f"{info.name:22s} {statistics.median(took[WARM_UP:]):6.1f} ms")


if __name__ == "__main__":
    main()
