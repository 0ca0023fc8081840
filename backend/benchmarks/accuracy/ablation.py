"""What each part of ``whisper``'s training is worth: ``python -m benchmarks.accuracy.ablation``, in backend/.

Linear layers are learnt in six ways, each with one part more than the one before, on what the encoder hears in three
corpora. Two figures each: unseen speakers of corpora that were learnt from (the folds of ``joint``), and a corpus
that was not learnt from at all. UA in percent, every clip scored by the emotions that its corpus has.
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
    """One way to learn.

    Attributes:
        together: whether the corpora are learnt from together, or each only for itself.
        masked: whether a clip could have had only the emotions of its corpus.
        weighted: whether every emotion of every corpus counts the same.
        copies: whether changed copies are learnt from too.
        gated: whether the layer has something to add for each corpus.
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
    "+ noise, rooms, lines, codecs": Way(gated=False),
    "+ domains (ships)": Way(),
}


def main() -> None:
    """Prints the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", type=int, default=6, help="how many folds of joint")
    options = parser.parse_args()
    recipe, settings = get_recipe("whisper"), load_settings()
    sources = [(corpus, corpus_root(corpus, settings.corpora)) for corpus in map(get_corpus, CORPORA)]
    data = load_data(recipe, sources, labels=None, clip_seconds=None, cache=settings.cache)
    heard = _heard(recipe, data, settings)
    names = np.array([utterance.corpus for utterance in data.utterances])
    print("| Learnt | " + " | ".join([f"{one}, unseen speakers" for one in CORPORA]), end=" | ")
    print(" | ".join([f"{one}, unseen corpus" for one in CORPORA]) + " |\n|" + "---|" * 7)
    folds = make_folds("joint", data.utterances, 0)[: options.folds]
    for title, way in WAYS.items():
        known = _figures(data, heard, way, [(sorted(one.train + one.validation), one.test) for one in folds])
        splits = [(np.flatnonzero(names != one).tolist(), np.flatnonzero(names == one).tolist()) for one in CORPORA]
        foreign = _figures(data, heard, way, splits) if way.together else {}
        cells = [f"{figures[one]:.1f}" if one in figures else "" for figures in (known, foreign) for one in CORPORA]
        print(f"| {title} | " + " | ".join(cells) + " |", flush=True)


def _heard(recipe: Recipe, data: Data, settings: Settings) -> Tensor:
    """What the encoder hears: (clips, copies, size)."""
    network = recipe.network(len(data.labels)).eval()
    network.load_pretrained(load_pretrained(recipe.pretrained, settings.pretrained))
    return data.bank.statistics("statistics", network.statistics)


def _figures(data: Data, heard: Tensor, way: Way, splits: list[tuple[list[int], list[int]]]) -> dict[str, float]:
    """Corpus -> UA in percent over the tests of all (train, test)."""
    answers: dict[str, tuple[list[str], list[str]]] = {one: ([], []) for one in CORPORA}
    for train, test in splits:
        task = make_task(data, train, [])
        for part in [np.array(task.train)] if way.together else _by_corpus(task):
            answer = _learnt(task, part, heard, way)
            own = set(task.corpora[clip] for clip in part)
            mine = np.array([clip for clip in test if way.together or task.corpora[clip] in own])
            learnt = task.allowed[part].any(dim=0)
            mine = mine[learnt[task.targets[mine]].numpy()]
            logits = answer(heard[mine, 0]).masked_fill(~(task.allowed[mine] & learnt), -torch.inf)
            for clip, best in zip(mine, logits.argmax(dim=1).tolist(), strict=True):
                truth, predicted = answers[task.corpora[clip]]
                truth.append(data.targets[clip])
                predicted.append(data.labels[best])
    return {one: 100 * score(*pair, sorted(set(pair[0]))).ua for one, pair in answers.items() if pair[0]}


def _by_corpus(task: Task) -> list[np.ndarray]:
    train, names = np.array(task.train), np.array(task.corpora)
    return [train[names[train] == one] for one in CORPORA]


def _learnt(task: Task, train: np.ndarray, heard: Tensor, way: Way) -> Callable[[Tensor], Tensor]:
    """Returns statistics (clips, size) -> logits (clips, classes)."""
    size, domains = heard.shape[2], len(CORPORA)
    standardise, domain = Standardise(size), nn.Linear(size, domains)
    head = ConditionalHead(size, task.classes, domains)
    standardise.fit(heard[train, 0])
    views = standardise(heard[train]).transpose(0, 1)[: None if way.copies else 1]
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
    def answer(statistics: Tensor) -> Tensor:
        vectors = standardise(statistics)
        return head(vectors, domain(vectors).softmax(dim=1))

    return answer


if __name__ == "__main__":
    main()
