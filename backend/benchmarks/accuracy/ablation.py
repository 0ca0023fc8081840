"""Measures what each part of ``whisper``'s training is worth: ``python -m benchmarks.accuracy.ablation``, in backend/.

Heads are fitted to the encoder's statistics of three corpora in several variants, each with one part changed. The parts
were chosen by the last columns: inside the training part of each corpus that is left out, the head is trained on one of
the two other corpora and tested on the other. The columns before them say what that choice gives: on unseen speakers
(the folds of ``joint``), and on the corpus left out. UA in percent, among all classes, one seed (nothing is drawn).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ser.cli.sources import load
from ser.core.settings import load_settings
from ser.data.dataset import Data
from ser.data.splits import make_folds
from ser.evaluation.metrics import score
from ser.models.pretrained import load_pretrained
from ser.models.recipe import get_recipe
from ser.models.whisper_encoder import DIMS
from ser.training import linear_probe
from ser.training.batching import Task, make_task
from ser.training.head_fitting import COMPONENTS

CORPORA = ("ravdess", "crema-d", "indian-emospeech")


@dataclass(frozen=True)
class Variant:
    """One way to train the head.

    Attributes:
        stages: outputs of the convolutions (0) and layers (1 and up) whose statistics are used.
        copies: augmented copies of every clip.
        penalty: of the squared weights.
        weak: shift of the logits of classes that a corpus does not have; 0 keeps them, -inf strikes them out.
        balanced: whether every class of every corpus has the same weight.
        votes: whether listeners' votes are the targets of CREMA-D.
        gated: whether each corpus has a layer of its own, mixed by how likely a clip is of that corpus.
    """

    stages: Sequence[int] = (2, 3, 4)
    copies: int = 2
    penalty: float = linear_probe.PENALTY
    weak: float = float(np.log(0.1))
    balanced: bool = True
    votes: bool = False
    gated: bool = False


VARIANTS = {
    "ships": Variant(),
    "without augmented copies": Variant(copies=0),
    "all stages, 0 to 4": Variant(stages=(0, 1, 2, 3, 4)),
    "stages 3 and 4": Variant(stages=(3, 4)),
    "stage 4 alone": Variant(stages=(4,)),
    "stages 2 and 3 (one layer fewer)": Variant(stages=(2, 3)),
    "L2 0.03 instead of 0.1": Variant(penalty=0.03),
    "L2 0.3 instead of 0.1": Variant(penalty=0.3),
    "classes of other corpora struck out": Variant(weak=-1e4),
    "classes of other corpora kept fully": Variant(weak=0.0),
    "corpora and classes as they are": Variant(balanced=False),
    "votes of CREMA-D's listeners": Variant(votes=True),
    "a layer for each corpus (gates)": Variant(gated=True),
}


def main() -> None:
    """Prints the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", type=int, default=6, help="number of folds of joint")
    parser.add_argument("--only", help="variants whose name contains this")
    options = parser.parse_args()
    recipe = get_recipe("whisper")
    data = load(recipe, list(CORPORA), None, None, None, recipe.clip_seconds)
    statistics = _statistics(data)
    head = [*(f"{one}, unseen speakers" for one in CORPORA), *(f"{one}, left out" for one in CORPORA), "inside, mean"]
    print("| Training | " + " | ".join(head) + " |\n|" + "---|" * (len(head) + 1))
    for title, variant in VARIANTS.items():
        if options.only and options.only not in title:
            continue
        known = _by_corpus(data, statistics, variant, list(_joint(data, options.folds)))
        left_out = _by_corpus(data, statistics, variant, [(_but(data, one), _of(data, one)) for one in CORPORA])
        inside = [
            _by_corpus(data, statistics, variant, [(_of(data, one), _of(data, other))])[other]
            for one in CORPORA
            for other in CORPORA
            if one != other
        ]
        cells = [known[one] for one in CORPORA] + [left_out[one] for one in CORPORA] + [float(np.mean(inside))]
        print(f"| {title} | " + " | ".join(f"{cell:.1f}" for cell in cells) + " |", flush=True)


def _statistics(data: Data) -> Tensor:
    """The encoder's statistics, (clips, copies, stages * 2 * dims)."""
    recipe = get_recipe("whisper")
    network = recipe.network(len(data.labels)).eval()
    network.load_pretrained(load_pretrained(recipe.pretrained, load_settings().pretrained))
    return data.bank.statistics("statistics", network.statistics)


def _joint(data: Data, folds: int) -> Iterator[tuple[list[int], list[int]]]:
    for fold in make_folds("joint", data.utterances, 0)[:folds]:
        yield sorted(fold.train + fold.validation), fold.test


def _of(data: Data, corpus: str) -> list[int]:
    return [clip for clip, utterance in enumerate(data.utterances) if utterance.corpus == corpus]


def _but(data: Data, corpus: str) -> list[int]:
    return [clip for clip, utterance in enumerate(data.utterances) if utterance.corpus != corpus]


def _by_corpus(
    data: Data, statistics: Tensor, variant: Variant, splits: Sequence[tuple[list[int], list[int]]]
) -> dict[str, float]:
    """Corpus -> UA in percent over the test clips of all (train, test)."""
    answers: dict[str, tuple[list[str], list[str]]] = {}
    for train, test in splits:
        task = make_task(data, train, [], votes=variant.votes)
        classify = _trained(task, statistics, variant)
        logits = classify(statistics[test, 0]).masked_fill(~task.trained, -torch.inf)
        for clip, best in zip(test, logits.argmax(dim=1).tolist(), strict=True):
            truth, predicted = answers.setdefault(data.utterances[clip].corpus, ([], []))
            truth.append(data.targets[clip])
            predicted.append(data.labels[best])
    return {one: 100 * score(*pair, sorted(set(pair[0]))).ua for one, pair in answers.items()}


def _trained(task: Task, statistics: Tensor, variant: Variant) -> Callable[[Tensor], Tensor]:
    """Returns the trained function: statistics (clips, size) -> logits (clips, classes)."""
    columns = torch.cat([torch.arange(2 * DIMS) + 2 * DIMS * stage for stage in variant.stages])
    train = torch.tensor(list(task.train))
    chosen = statistics[train][:, : 1 + variant.copies][:, :, columns]
    mean, scale = chosen[:, 0].mean(dim=0), chosen[:, 0].std(dim=0).clamp_min(1e-5)
    vectors = (chosen - mean) / scale
    torch.manual_seed(0)
    basis = torch.pca_lowrank(vectors[:, 0], min(COMPONENTS, *vectors[:, 0].shape), center=False, niter=1)[2]
    low, copies = vectors @ basis, vectors.shape[1]
    corpora = np.unique([task.corpora[clip] for clip in task.train], return_inverse=True)[1]
    gates = _gates(low[:, 0], torch.from_numpy(corpora)) if variant.gated and corpora.any() else None
    flat = low.flatten(0, 1) if gates is None else _gated(low.flatten(0, 1), gates)
    groups = task.groups[train]
    weights = 1 / torch.bincount(groups)[groups].float() if variant.balanced else torch.ones(len(groups))
    targets, possible, weights = (
        part.repeat_interleave(copies, dim=0)
        for part in (task.learnt[train], task.allowed[train], weights / weights.mean())
    )
    weight, bias = linear_probe.fit_probe(flat, targets, possible, weights, penalty=variant.penalty, weak=variant.weak)

    def classify(inputs: Tensor) -> Tensor:
        found = ((inputs[:, columns] - mean) / scale) @ basis
        return (found if gates is None else _gated(found, gates)) @ weight.T + bias

    return classify


def _gates(low: Tensor, corpora: Tensor) -> nn.Linear:
    """A classifier of corpora from (clips, components)."""
    targets = nn.functional.one_hot(corpora).float()
    layer = nn.Linear(low.shape[1], targets.shape[1])
    found = linear_probe.fit_probe(low, targets, targets >= 0, torch.ones(len(low)))
    with torch.no_grad():
        layer.weight.copy_(found[0])
        layer.bias.copy_(found[1])
    return layer


@torch.no_grad()
def _gated(low: Tensor, gates: nn.Linear) -> Tensor:
    """Vectors (clips, components) beside themselves times the probability of each corpus."""
    shares = gates(low).softmax(dim=1)
    return torch.cat([low, *(low * shares[:, [corpus]] for corpus in range(shares.shape[1]))], dim=1) * 0.5**0.5


if __name__ == "__main__":
    main()
