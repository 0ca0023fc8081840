"""What a profile of a voice is worth: ``python -m benchmarks.enrolment``, in backend/.

For every fold of emobox the model is trained without its four actors. Then, for each of them, a profile is made from a
few of the actor's clips, as ``enroll`` does, and all other clips of the actor are scored with it. The clips are drawn
DRAWS times; the figure is the UA over all of this.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from ser.batches import make_task
from ser.corpus import corpus_root, get_corpus
from ser.dataset import Data, load_data
from ser.metrics import score
from ser.recipe import get_recipe
from ser.settings import load_settings
from ser.splits import make_folds, speaker_of
from ser.training import fit, predict
from ser.transfer import known_statistics

DRAWS = 5
SIZES = (1, 2, 3, 5, 10, 20)
KINDS = ("varied", "random", "neutral", "one mood")


def main() -> None:
    """Prints the UA by what the profile is made of."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", default="whisper", help="name of the recipe")
    parser.add_argument("--folds", type=int, default=6, help="how many folds of emobox")
    options = parser.parse_args()
    recipe, settings, corpus = get_recipe(options.recipe), load_settings(), get_corpus("ravdess")
    data = load_data(
        recipe,
        [(corpus, corpus_root(corpus, settings.corpora))],
        labels=tuple(sorted(set(corpus.labels.values()))),
        clip_seconds=recipe.clip_seconds,
        cache=settings.cache,
    )
    answers: dict[str, tuple[list[str], list[str]]] = {}
    for fold in make_folds("emobox", data.utterances, 0)[: options.folds]:
        task = make_task(data, sorted(fold.train + fold.validation), [])
        network = recipe.network(len(data.labels))
        network.load_state_dict(fit(recipe, task, settings=recipe.training, seed=0).weights)
        logits, vectors = predict(network, data.bank, fold.test, known_statistics(recipe, data.bank))
        for name, truth, predicted in _scored(data, network, fold.test, logits, vectors):
            known = answers.setdefault(name, ([], []))
            known[0].extend(truth)
            known[1].extend(predicted)
    print("profile of                UA   clips scored")
    for name, (truth, predicted) in answers.items():
        print(f"{name:22s} {100 * score(truth, predicted, data.labels).ua:5.1f}   {len(truth)}")


@torch.inference_mode()
def _scored(
    data: Data, network: nn.Module, test: list[int], logits: Tensor, vectors: Tensor
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yields the name of a kind of profile with labels and answers, speaker by speaker."""
    labels = np.array(data.labels)
    truth = np.array([data.targets[clip] for clip in test])
    speakers = np.array([speaker_of(data.utterances[clip]) for clip in test])
    upper, draw = network.upper, np.random.default_rng(0)
    yield "nothing", truth.tolist(), labels[logits.argmax(dim=1)].tolist()
    for speaker in np.unique(speakers):
        own = np.flatnonzero(speakers == speaker)
        for kind in KINDS:
            for size in SIZES:
                for _ in range(DRAWS):
                    chosen = _chosen(kind, size, own, truth, draw)
                    if len(chosen) < size:
                        continue
                    offset = upper.voices.offset(vectors[chosen], logits[chosen].softmax(dim=1))
                    rest = np.setdiff1d(own, chosen)
                    answers = upper.decide(vectors[rest], offset).argmax(dim=1)
                    yield f"{size:2d} {kind}", truth[rest].tolist(), labels[answers].tolist()
        offset = upper.voices.offset(vectors[own], logits[own].softmax(dim=1))
        answers = upper.decide(vectors[own], offset).argmax(dim=1)
        yield "all, scored too", truth[own].tolist(), labels[answers].tolist()


def _chosen(kind: str, size: int, own: np.ndarray, truth: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Which of a speaker's clips make the profile: (size,), or fewer where there are not so many."""
    if kind == "random":
        return draw.permutation(own)[:size]
    if kind == "neutral":
        return draw.permutation(own[np.isin(truth[own], ("neutral", "calm"))])[:size]
    if kind == "one mood":
        return draw.permutation(own[truth[own] == draw.choice(np.unique(truth[own]))])[:size]
    mixed = draw.permutation(own)
    first = np.array([np.sum(truth[mixed[:i]] == truth[clip]) for i, clip in enumerate(mixed)])
    return mixed[np.argsort(first, kind="stable")][:size]  # one of every emotion before the second of any


if __name__ == "__main__":
    main()
