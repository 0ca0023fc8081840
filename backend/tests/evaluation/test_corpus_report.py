"""The report on a corpus: clips, durations, speakers and listener agreement."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ser.data.corpus import Corpus, Utterance, get_corpus
from ser.evaluation.corpus_report import explore, write_exploration
from tests.evaluation.test_html import check_page
from tests.evaluation.test_report import visible

VOTES = ({"angry": 0.75, "sad": 0.25}, {"angry": 0.5, "sad": 0.5}, {"sad": 1.0}, None)


@pytest.fixture
def corpus() -> Corpus:
    return replace(get_corpus("ravdess"), labels={"A": "angry", "S": "sad"}, title="Söme <corpus>")


@pytest.fixture
def utterances(tmp_path: Path, tone, encode) -> list[Utterance]:
    """Recordings of 1, 2 and 4 s and an unreadable one, of two speakers."""
    found = []
    for n, seconds in enumerate((1.0, 2.0, 4.0, None)):
        path = tmp_path / f"{n}.wav"
        path.write_bytes(b"no sound" if seconds is None else encode(tone(seconds, 16_000), 16_000))
        found.append(
            Utterance(
                path=path,
                corpus="some",
                speaker="ab"[n // 3],
                native_label="AASX"[n],
                sex="female" if n < 3 else None,
                age=30 if n < 3 else None,
                soft_labels=VOTES[n],
            )
        )
    return found


def test_clips_lengths_and_speakers_are_counted(corpus, utterances):
    found = explore(corpus, utterances)
    assert found["clips"] == 4 and found["hours"] == pytest.approx(7 / 3600)
    assert found["seconds"] == pytest.approx({"min": 1.0, "median": 2.0, "max": 4.0})
    assert found["unreadable"] == ["3.wav"] and found["sample_rates"] == {"16000 Hz": 3}
    assert found["sex"] == {"female": 3, "unknown": 1} and found["intensity"] == {"unknown": 4}
    assert found["speakers"]["a"] == {"clips": 3, "sex": "female", "age": 30, "race": ""}
    emotions = found["emotions"]
    assert list(emotions) == ["angry", "sad", "unknown"]
    assert (emotions["angry"]["clips"], emotions["angry"]["share"], emotions["angry"]["median_seconds"]) == (
        2,
        0.5,
        1.5,
    )
    assert emotions["unknown"]["median_seconds"] == 0.0


def test_listener_agreement_with_the_intended_emotion(corpus, utterances):
    listeners = explore(corpus, utterances)["listeners"]
    assert listeners["clips"] == 3
    assert listeners["agreement"] == pytest.approx(np.mean([0.75, 0.5, 1.0]))
    assert listeners["majority"] == pytest.approx(2 / 3)  # a tie is not a majority
    assert listeners["by_emotion"]["angry"] == pytest.approx({"clips": 2, "agreement": 0.625, "majority": 0.5})
    assert listeners["heard"]["angry"] == pytest.approx({"angry": 0.625, "sad": 0.375})


def test_without_votes_listeners_are_not_mentioned(corpus, utterances, tmp_path):
    found = explore(corpus, [replace(one, soft_labels=None) for one in utterances])
    assert found["listeners"] is None
    assert "Listener agreement" not in check_page(write_exploration(tmp_path / "out", found))


def test_page_plots_and_json_agree(corpus, utterances, tmp_path):
    found = explore(corpus, utterances)
    page = check_page(write_exploration(tmp_path / "out", found))
    words = visible(page)
    assert "Söme &lt;corpus&gt;" in words and "1 file cannot be read" in words and "3.wav" in words
    assert "75.0 % of the votes on 3 clips" in words and corpus.licence in words
    assert "Age" in words and "Race" not in words
    for name in ("emotions.png", "lengths.png"):
        assert (tmp_path / "out" / name).read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / "out" / "corpus.json").read_text(encoding="utf-8")) == found


def test_a_corpus_of_unreadable_files_only_is_reported(corpus, utterances, tmp_path):
    found = explore(corpus, utterances[3:])
    assert found["hours"] == 0 and found["seconds"]["max"] == 0
    check_page(write_exploration(tmp_path / "out", found))


def test_progress_is_reported(corpus, utterances):
    calls = []
    explore(corpus, utterances, on_progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.corpus
def test_crema_d_listeners_agree_as_published(corpora_root):
    """Cao et al. (2014): 40.9% of the audio-only votes name the intended emotion."""
    crema_d = get_corpus("crema-d")
    found = explore(crema_d, crema_d.scan(corpora_root / "crema-d"))
    assert found["listeners"]["agreement"] == pytest.approx(0.409, abs=0.02)
