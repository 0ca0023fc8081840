"""Measures adaptation to speakers without labels: ``python -m benchmarks.accuracy.adaptation``, in backend/.

Every corpus is left out of training in turn. From each of its speakers, mixtures of a few clips are drawn: balanced
over the emotions, 70 % neutral, or 85 % of one mood. The speaker is estimated from the clips of a mixture, as
``predict --adapt folder`` does, and the same clips are scored with and without, among all classes of the model. The
last column takes all clips of the corpus, of all speakers, as one folder: adaptation to a room, a device or a line.
``--picture FILE`` draws the table.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ser.cli.sources import load
from ser.data.dataset import Data
from ser.data.splits import make_folds, speaker_of
from ser.evaluation.metrics import score
from ser.evaluation.plots import draw_adaptation
from ser.models.encoder import EncoderHeads
from ser.models.recipe import get_recipe
from ser.training.batching import make_task
from ser.training.initialisation import known_statistics
from ser.training.loop import fit, predict

CORPORA = ("ravdess", "crema-d", "indian-emospeech")
SIZES = (5, 10, 20, 40)
MIXTURES = {"balanced": 0.0, "70 % neutral": 0.7, "85 % one mood": 0.85}  # share of the main emotion
FEWEST = 0.8  # of a size; a speaker with fewer suitable clips is left out
DRAWS = 10
FOLDER = "all, as one folder"

Figures = dict[tuple[str, str, str], tuple[float, float, int]]
"""(corpus, mixture, size) -> UA without and with adaptation in percent, and number of mixtures."""


def main() -> None:
    """Prints the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", default="whisper", help="name of the recipe")
    parser.add_argument("--picture", type=Path, help="PNG file to write")
    options = parser.parse_args()
    figures = measure(options.recipe)
    print("| Corpus left out, mixture | " + " | ".join([*(f"{size} clips" for size in SIZES), FOLDER]) + " |")
    print("|---|" + "---|" * (len(SIZES) + 1))
    for corpus, mixture in dict.fromkeys((corpus, mixture) for corpus, mixture, _ in figures):
        cells = [figures.get((corpus, mixture, size)) for size in [*map(str, SIZES), FOLDER]]
        shown = ["" if cell is None else f"{cell[0]:.1f} → {cell[1]:.1f}" for cell in cells]
        print(f"| {corpus}, {mixture} | " + " | ".join(shown) + " |")
    if options.picture:
        draw_adaptation(options.picture, {key: value[:2] for key, value in figures.items() if key[2] != FOLDER})


def measure(name: str) -> Figures:
    """Returns the figures of a recipe whose network adapts to speakers."""
    recipe = get_recipe(name)
    data = load(recipe, list(CORPORA), None, None, None, recipe.clip_seconds)
    answers: dict[tuple[str, str, str], list[tuple[np.ndarray, np.ndarray, np.ndarray]]] = {}
    for fold in make_folds("cross", data.utterances, 0):
        task = make_task(data, sorted(fold.train + fold.validation), [])
        network = recipe.network(len(data.labels))
        network.load_state_dict(fit(recipe, task, settings=recipe.training, seed=0, every_class=False).weights)
        spoken = [clip for clip in fold.test if data.bank.speech[clip]]
        output = predict(network, data.bank, spoken, known_statistics(recipe, data.bank))
        logits = output.logits.masked_fill(~task.trained, -1e4)
        for key, found in _mixtures(data, network.heads, spoken, logits, output.embedding, task.trained):
            answers.setdefault((fold.name, *key), []).append(found)
    return {key: _figure(data, found) for key, found in answers.items()}


def _figure(data: Data, found: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> tuple[float, float, int]:
    truth, plain, adapted = (np.array(data.labels)[np.concatenate(part)].tolist() for part in zip(*found, strict=True))
    labels = sorted(set(truth))
    return 100 * score(truth, plain, labels).ua, 100 * score(truth, adapted, labels).ua, len(found)


@torch.inference_mode()
def _mixtures(
    data: Data, heads: EncoderHeads, test: list[int], logits: Tensor, embeddings: Tensor, trained: Tensor
) -> Iterator[tuple[tuple[str, str], tuple[np.ndarray, np.ndarray, np.ndarray]]]:
    """Yields (mixture, size) with the true classes, the plain and the adapted answers of a drawn mixture."""
    truth = np.array([data.labels.index(data.targets[clip]) for clip in test])
    speakers = np.array([speaker_of(data.utterances[clip]) for clip in test])
    draw = np.random.default_rng(0)

    def answers(clips: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        adapted = heads.adapt(logits[clips], embeddings[clips], heads.estimate_speaker(embeddings[clips]))
        adapted = adapted.masked_fill(~trained, -torch.inf)
        return truth[clips], logits[clips].argmax(dim=1).numpy(), adapted.argmax(dim=1).numpy()

    for mixture, share in MIXTURES.items():
        for size in SIZES:
            for speaker in np.unique(speakers):
                own = np.flatnonzero(speakers == speaker)
                for _ in range(DRAWS):
                    clips = _draw(own, truth, mixture, share, size, data.labels.index("neutral"), draw)
                    if len(clips) >= FEWEST * size:
                        yield (mixture, str(size)), answers(clips)
    yield ("balanced", FOLDER), answers(np.arange(len(test)))


def _draw(
    own: np.ndarray, truth: np.ndarray, mixture: str, share: float, size: int, neutral: int, draw: np.random.Generator
) -> np.ndarray:
    """Returns clips of one speaker, at most ``size``; fewer where the speaker has not enough of an emotion."""
    mixed = draw.permutation(own)
    if mixture == "balanced":
        before = np.array([np.sum(truth[mixed[:place]] == truth[clip]) for place, clip in enumerate(mixed)])
        return mixed[np.argsort(before, kind="stable")][:size]  # one clip of every emotion before the second of any
    main = neutral if mixture == "70 % neutral" else draw.choice(np.unique(truth[own]))
    wanted = round(share * size)
    chosen = mixed[truth[mixed] == main][:wanted]
    rest = mixed[truth[mixed] != main][: round(len(chosen) * (1 - share) / share)]
    return np.concatenate([chosen, rest])


if __name__ == "__main__":
    main()
