"""Measures a shipped model on another corpus: ``python -m benchmarks.accuracy.cross_corpus crema-d``, in backend/.

Every clip is predicted and scored like any recording: the answer is the likeliest of all the model's labels, and a clip
without speech counts as wrong. Beside it stands the UA if only labels that model and corpus share could be answered.
Calm counts as neutral. Only for corpora whose speakers the model was not trained on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from ser.core.errors import ProtocolError
from ser.core.labels import relabel
from ser.core.prediction import Prediction
from ser.core.settings import load_settings
from ser.data.corpus import Utterance, corpus_root, get_corpus
from ser.evaluation.metrics import NO_SPEECH, score, speaker_interval
from ser.inference.predictor import Predictor, load_predictor


def main() -> None:
    """Prints UA with its interval, the recalls, and the accuracy of the predictions that are not unsure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", help="name of the corpus")
    parser.add_argument("--model", default="cnn1d", help="name of the model")
    options = parser.parse_args()
    settings = load_settings()
    predictor, corpus = load_predictor(options.model, settings), get_corpus(options.corpus)
    scanned = corpus.scan(corpus_root(corpus, settings.corpora))
    if known := {corpus.name, *(u.population for u in scanned)} & set(predictor.info.corpora):
        raise ProtocolError(
            f"{options.model} was trained on the speakers of {', '.join(known)}; choose a corpus of other people."
        )
    mapping = {native: relabel(emotion, predictor.info.labels) for native, emotion in corpus.labels.items()}
    utterances = [u for u in scanned if mapping[u.native_label]]
    measure(predictor, utterances, [mapping[u.native_label] for u in utterances])


def measure(predictor: Predictor, utterances: list[Utterance], truth: list[str]) -> None:
    """Predicts every utterance and prints the figures."""
    labels = sorted(set(truth))
    answers = [predictor.predict(Path(u.path)) for u in utterances]
    predicted = [answer.emotion or NO_SPEECH for answer in answers]
    scores = score(truth, predicted, labels)
    masked = score(truth, [_likeliest(answer, labels) for answer in answers], labels)
    speakers = [u.speaker for u in utterances]
    low, high = speaker_interval(truth, predicted, speakers, labels)
    print(f"{len(truth)} clips, {len({u.speaker for u in utterances})} speakers, chance level {100 / len(labels):.1f}")
    print(f"UA {100 * scores.ua:.1f} [{100 * low:.1f}, {100 * high:.1f}]   WA {100 * scores.wa:.1f}")
    print(f"UA with the corpus's labels only {100 * masked.ua:.1f}")
    print("recall " + ", ".join(f"{label} {100 * recall:.1f}" for label, recall in scores.recalls.items()))
    sure = [answer.emotion == label for answer, label in zip(answers, truth, strict=True) if answer.state == "emotion"]
    confidence = [answer.confidence for answer in answers if answer.state == "emotion"]
    right, said = 100 * np.mean(sure), np.mean(confidence)
    print(f"sure: {100 * len(sure) / len(truth):.0f} %, accuracy {right:.0f} %, mean confidence {said:.0f} %")


def _likeliest(answer: Prediction, labels: list[str]) -> str:
    return max(labels, key=answer.probabilities.__getitem__) if answer.probabilities else NO_SPEECH


if __name__ == "__main__":
    main()
