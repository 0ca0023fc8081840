"""Measures the effect of speaker profiles on accuracy: ``python -m benchmarks.accuracy.enrollment``, in backend/.

For every fold of a protocol the model is trained without its test speakers. Then, for each of them, a profile is made
from a few of the speaker's clips, as ``enroll`` does, and all other clips of the speaker are scored with it, among all
classes of the model. The clips are drawn DRAWS times; the figure is the UA over all draws.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ser.cli.sources import load
from ser.data.dataset import Data
from ser.data.splits import get_protocol, make_folds, speaker_of
from ser.evaluation.metrics import score
from ser.models.encoder import EncoderHeads
from ser.models.network import NetworkOutput
from ser.models.recipe import get_recipe
from ser.training.batching import make_task
from ser.training.initialisation import known_statistics
from ser.training.loop import fit, predict

DRAWS = 5
SIZES = (1, 2, 3, 5, 10, 20)
KINDS = ("varied", "random", "neutral", "one mood")


def main() -> None:
    """Prints the UA by corpus and by size and emotions of the profile."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", default="whisper", help="name of the recipe")
    parser.add_argument("--corpus", action="append", help="repeatable; ravdess by default")
    parser.add_argument("--labels", help="as for 'evaluate'")
    parser.add_argument("--protocol", default="emobox")
    options = parser.parse_args()
    recipe = get_recipe(options.recipe)
    data = load(recipe, options.corpus or ["ravdess"], None, None, options.labels, recipe.clip_seconds)
    answers: dict[tuple[str, str], tuple[list[str], list[str]]] = {}
    foreign = get_protocol(options.protocol).foreign
    for fold in make_folds(options.protocol, data.utterances, 0):
        task = make_task(data, sorted(fold.train + fold.validation), [])
        network = recipe.network(len(data.labels))
        trained = fit(recipe, task, settings=recipe.training, seed=0, every_class=not foreign)
        network.load_state_dict(trained.weights)
        output = predict(network, data.bank, fold.test, known_statistics(recipe, data.bank))
        for corpus, name, truth, predicted in _scored(data, network.heads, fold.test, output, task.trained):
            known = answers.setdefault((corpus, name), ([], []))
            known[0].extend(truth)
            known[1].extend(predicted)
    print("corpus            profile of                UA   clips scored")
    for (corpus, name), (truth, predicted) in sorted(answers.items(), key=lambda item: item[0][0]):
        print(f"{corpus:17s} {name:22s} {100 * score(truth, predicted, sorted(set(truth))).ua:5.1f}   {len(truth)}")


@torch.inference_mode()
def _scored(
    data: Data, heads: EncoderHeads, test: list[int], output: NetworkOutput, trained: Tensor
) -> Iterator[tuple[str, str, list[str], list[str]]]:
    """Yields corpus, type of profile, true and predicted labels, speaker by speaker."""
    labels = np.array(data.labels)
    truth = np.array([data.targets[clip] for clip in test])
    speakers = np.array([speaker_of(data.utterances[clip]) for clip in test])
    logits, vectors, draw = output.logits, output.embedding, np.random.default_rng(0)

    def answers(clips: np.ndarray, found: Tensor) -> tuple[list[str], list[str]]:
        best = found.masked_fill(~trained, -torch.inf).argmax(dim=1).numpy()
        return truth[clips].tolist(), labels[best].tolist()

    for speaker in np.unique(speakers):
        own = np.flatnonzero(speakers == speaker)
        corpus = data.utterances[test[own[0]]].corpus
        yield corpus, "nothing", *answers(own, logits[own])
        for kind in KINDS:
            for size in SIZES:
                for _ in range(DRAWS):
                    chosen = _chosen(kind, size, own, truth, draw)
                    if len(chosen) < size or len(chosen) == len(own):
                        continue
                    speaker, rest = heads.estimate_speaker(vectors[chosen]), np.setdiff1d(own, chosen)
                    adapted = heads.adapt(logits[rest], vectors[rest], speaker)
                    yield corpus, f"{size:2d} {kind}", *answers(rest, adapted)
        adapted = heads.adapt(logits[own], vectors[own], heads.estimate_speaker(vectors[own]))
        yield corpus, "all, scored too", *answers(own, adapted)


def _chosen(kind: str, size: int, own: np.ndarray, truth: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Returns the clips of a speaker that make the profile: (size,), or fewer if there are not enough."""
    if kind == "random":
        return draw.permutation(own)[:size]
    if kind == "neutral":
        return draw.permutation(own[np.isin(truth[own], ("neutral", "calm"))])[:size]
    if kind == "one mood":
        return draw.permutation(own[truth[own] == draw.choice(np.unique(truth[own]))])[:size]
    mixed = draw.permutation(own)
    first = np.array([np.sum(truth[mixed[:i]] == truth[clip]) for i, clip in enumerate(mixed)])
    return mixed[np.argsort(first, kind="stable")][:size]  # one clip of every emotion before the second of any


if __name__ == "__main__":
    main()
