"""Measures the contribution of each part of ``whisper``'s training: ``python -m benchmarks.accuracy.ablation``.

Linear heads are trained on the encoder's statistics of three corpora in six variants, each with one part more than the
one before. Two figures each: unseen speakers of the training corpora (the folds of ``joint``), and an unseen corpus. UA
in percent, every clip scored on the emotions of its corpus. Run in backend/.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ser.core.settings import Settings, load_settings
from ser.data.corpus import corpus_root, get_corpus
from ser.data.dataset import Data, load_data
from ser.data.splits import make_folds
from ser.evaluation.metrics import score
from ser.models.conditional_head import ConditionalHead
from ser.models.layers import Standardise
from ser.models.pretrained import load_pretrained
from ser.models.recipe import Recipe, get_recipe
from ser.training.batching import Task, make_task
from ser.training.head_fitting import domains_of, fit_domains, fit_head

CORPORA = ("ravdess", "crema-d", "indian-emospeech")


@dataclass(frozen=True)
class Way:
    """One variant of the training.

    Attributes:
        together: whether one head is trained on all corpora, or one per corpus.
        masked: whether the loss of a clip is restricted to the emotions of its corpus.
        weighted: whether every emotion of every corpus has the same weight.
        copies: whether augmented copies are used too.
        gated: whether the head has a layer for each domain.
    """

    together: bool = True
    masked: bool = True
    weighted: bool = True
    copies: bool = True
    gated: bool = True


WAYS = {
    "each corpus alone": Way(together=False, gated=False),
    "pooled": Way(masked=False, weighted=False, copies=False, gated=False),
    "+ classes of the corpus only": Way(weighted=False, copies=False, gated=False),
    "+ corpora and classes balanced": Way(copies=False, gated=False),
    "+ noise, rooms, band limits, codecs": Way(gated=False),
    "+ domains (ships)": Way(),
}


def main() -> None:
    """Prints the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", type=int, default=6, help="number of folds of joint")
    options = parser.parse_args()
    recipe, settings = get_recipe("whisper"), load_settings()
    sources = [(corpus, corpus_root(corpus, settings.corpora)) for corpus in map(get_corpus, CORPORA)]
    data = load_data(recipe, sources, labels=None, clip_seconds=None, cache=settings.cache)
    statistics = _statistics(recipe, data, settings)
    names = np.array([utterance.corpus for utterance in data.utterances])
    print("| Trained on | " + " | ".join([f"{one}, unseen speakers" for one in CORPORA]), end=" | ")
    print(" | ".join([f"{one}, unseen corpus" for one in CORPORA]) + " |\n|" + "---|" * 7)
    folds = make_folds("joint", data.utterances, 0)[: options.folds]
    for title, way in WAYS.items():
        known = _figures(data, statistics, way, [(sorted(one.train + one.validation), one.test) for one in folds])
        splits = [(np.flatnonzero(names != one).tolist(), np.flatnonzero(names == one).tolist()) for one in CORPORA]
        foreign = _figures(data, statistics, way, splits) if way.together else {}
        cells = [f"{figures[one]:.1f}" if one in figures else "" for figures in (known, foreign) for one in CORPORA]
        print(f"| {title} | " + " | ".join(cells) + " |", flush=True)


def _statistics(recipe: Recipe, data: Data, settings: Settings) -> Tensor:
    """The encoder's statistics, (clips, copies, size)."""
    network = recipe.network(len(data.labels)).eval()
    network.load_pretrained(load_pretrained(recipe.pretrained, settings.pretrained))
    return data.bank.statistics("statistics", network.statistics)


def _figures(data: Data, statistics: Tensor, way: Way, splits: list[tuple[list[int], list[int]]]) -> dict[str, float]:
    """Corpus -> UA in percent over the test clips of all (train, test)."""
    answers: dict[str, tuple[list[str], list[str]]] = {one: ([], []) for one in CORPORA}
    for train, test in splits:
        task = make_task(data, train, [])
        for part in [np.array(task.train)] if way.together else _by_corpus(task):
            classify = _trained(task, part, statistics, way)
            own = set(task.corpora[clip] for clip in part)
            mine = np.array([clip for clip in test if way.together or task.corpora[clip] in own])
            learnt = task.allowed[part].any(dim=0)
            mine = mine[learnt[task.targets[mine]].numpy()]
            logits = classify(statistics[mine, 0]).masked_fill(~(task.allowed[mine] & learnt), -torch.inf)
            for clip, best in zip(mine, logits.argmax(dim=1).tolist(), strict=True):
                truth, predicted = answers[task.corpora[clip]]
                truth.append(data.targets[clip])
                predicted.append(data.labels[best])
    return {one: 100 * score(*pair, sorted(set(pair[0]))).ua for one, pair in answers.items() if pair[0]}


def _by_corpus(task: Task) -> list[np.ndarray]:
    train, names = np.array(task.train), np.array(task.corpora)
    return [train[names[train] == one] for one in CORPORA]


def _trained(task: Task, train: np.ndarray, statistics: Tensor, way: Way) -> Callable[[Tensor], Tensor]:
    """Returns the trained function: statistics (clips, size) -> logits (clips, classes)."""
    size, domains = statistics.shape[2], len(CORPORA)
    standardise, domain = Standardise(size), nn.Linear(size, domains)
    head = ConditionalHead(size, task.classes, domains)
    standardise.fit(statistics[train, 0])
    views = standardise(statistics[train]).transpose(0, 1)[: None if way.copies else 1]
    corpora = [task.corpora[clip] for clip in train]
    fit_domains(domain, views[0], domains_of(corpora if way.gated else [""] * len(train), domains))
    allowed, groups = task.allowed[train], task.groups[train]
    with torch.no_grad():
        shares = domain(views).softmax(dim=2)
    fit_head(
        head,
        views,
        shares,
        task.learnt[train],
        allowed if way.masked else torch.ones_like(allowed),
        groups if way.weighted else torch.zeros_like(groups),
    )

    @torch.inference_mode()
    def classify(inputs: Tensor) -> Tensor:
        vectors = standardise(inputs)
        return head(vectors, domain(vectors).softmax(dim=1))

    return classify


if __name__ == "__main__":
    main()
