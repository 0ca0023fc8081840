"""Writes the model cards of the shipped models: ``python -m benchmarks.accuracy.cards``, in backend/.

Every figure is read from ``weights/*/evaluation``; the descriptions of the corpora are in this file, their licences in
``ser/data/corpora``.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from textwrap import fill

from benchmarks.accuracy.leaderboard import beside_served, markdown
from benchmarks.accuracy.licences import commercial_use, corpora_of, encoder_attribution
from ser.core.law import EU_LAW
from ser.core.settings import PROJECT
from ser.data.corpus import allow_commercial_use
from ser.data.splits import get_protocol
from ser.evaluation.metrics_file import Metrics, read_metrics
from ser.models.checkpoint import Figure, ModelInfo, list_models
from ser.models.recipe import get_recipe

WEIGHTS = PROJECT / "weights"
BESIDE = ("UA, classes of the corpus only", "UA, shared classes")
BESIDE_TEXT = """ Two more stand beside
the UA for comparison, as a user's recording does not say which emotions it can have: the UA if only the emotions of the
test corpus could be answered, and under `cross` the UA on the emotions that all corpora share."""
COLUMNS = (
    "Corpus",
    "Test speakers",
    "Protocol",
    "Classes",
    "UA",
    *BESIDE,
    "WA",
    "Macro F1",
    "Weighted F1",
)
DATA = {
    "ravdess": (
        "RAVDESS speech: 24 actors from North America aged 21 to 33, two sentences, one studio; 1,439 clips (one of "
        "the 1,440 is the same audio as another)."
    ),
    "crema-d": (
        "CREMA-D, actors 1001 to 1025 without 1004, 1010 and 1013, whose clips are the page's samples: American "
        "actors of several backgrounds, twelve sentences; made from the authors' MP3."
    ),
    "indian-emospeech": (
        "Indian EmoSpeech Command: 62 Indian speakers with phones, one English command word per clip, four emotions."
    ),
}
LIMITS = {
    "ravdess": "RAVDESS is acted: strong, clear emotions of 24 people in one studio.",
    "crema-d": "Listeners agree with the intended emotion in 41 % of CREMA-D's clips (Cao et al. 2014), so part of the "
    "error is in the labels.",
    "indian-emospeech": "The Indian speakers say single words on phones; whole sentences were not evaluated.",
}


def main() -> None:
    """Writes ``MODEL_CARD.md`` of every model."""
    for info in list_models(WEIGHTS):
        (WEIGHTS / info.name / "MODEL_CARD.md").write_text(card(info), encoding="utf-8")


def card(info: ModelInfo) -> str:
    """Returns the card of a model as Markdown."""
    data = _wrapped(f"- {DATA[corpus]}" for corpus in info.corpora)
    limits = _wrapped(f"- {LIMITS[corpus]}" for corpus in info.corpora)
    rows = [_row(_metrics(info, one), one) for one in info.figures]
    columns = [name for name in COLUMNS if any(row[name] for row in rows)]
    beside = "" if columns == [name for name in COLUMNS if name not in BESIDE] else BESIDE_TEXT
    commands = "\n".join(dict.fromkeys(_metrics(info, one).command for one in info.figures))
    return f"""# Model card: `{info.name}`

{info.title}. {info.summary} It predicts one of {len(info.labels)} emotions: {", ".join(info.labels)}.
{info.parameters / 1e6:.2f} million parameters, trained with the recipe
[`{info.recipe}`](../../backend/ser/models/recipes/{info.recipe}.py), whose docstring says where it follows a published
system.

## Intended use

Learning, research and demonstrations of how well such a system works on unseen speakers. Recordings of one person
speaking, in rooms without much noise.

## Not for

- Decisions about people. It recognises how emotions are portrayed, not what a person feels.
{_not_for(info)}
- Accents, languages and channels that are not in its training data, without measuring first.

## Data and licence

{data}

Licence of the data, which also applies to the weights: {info.licence}.
{fill(f"{commercial_use(info)} The terms are in [LICENSE](../LICENSE). Attribution:", 120)}

{_attributions(info)}

## Figures

Unweighted average recall (UA), plain accuracy (WA), macro and weighted F1 in percent, of pooled out-of-fold
predictions, mean and standard deviation over seeds; in brackets the 95 % bootstrap interval over speakers. A clip in
which no speech was found counts as wrong. Figures on unseen speakers are cross-validated: the weights that ship were
trained on every clip except those of the speakers left out above. Under `cross`, the whole test corpus was left out of
training. All figures are as served: the answer is the likeliest of all {len(info.labels)} emotions.{beside}

{markdown(columns, rows)}
Each line comes from one of these commands; `evaluation/<corpus>-<protocol>-<classes>classes/` has a row per clip from
which anyone can recompute it, as `python3 -m backend test` does:

```
{commands}
```
{"".join(_details(info, one) for one in info.unseen_figures)}
## Limits

{limits}
- Very short recordings, background music and several people talking at once were not evaluated.
"""


def _not_for(info: ModelInfo) -> str:
    lines = [f"- Workplaces and education. {EU_LAW}"]
    if not allow_commercial_use(info.corpora):
        lines.append("- Commercial use, which the licence of its training data excludes.")
    return _wrapped(lines)


def _attributions(info: ModelInfo) -> str:
    notices = [corpus.attribution for corpus in corpora_of(info)]
    if (encoder := get_recipe(info.recipe).pretrained) is not None:
        notices.append(encoder_attribution(encoder))
    return _wrapped(f"- {notice}" for notice in notices)


def _metrics(info: ModelInfo, figure: Figure) -> Metrics:
    return read_metrics(_folder(info, figure))


def _folder(info: ModelInfo, figure: Figure) -> Path:
    return WEIGHTS / info.name / "evaluation" / figure.folder


def _row(metrics: Metrics, figure: Figure) -> dict[str, str]:
    unseen = figure.speaker_independent
    who = "unseen speakers" if unseen else "LEAKY: the same speakers in training"
    ua = f"**{figure.text}**" if unseen else figure.text
    beside = (beside_served(metrics, "ua_masked"), beside_served(metrics, "ua_shared"))
    rest = (figure.wa, figure.f1, figure.weighted_f1)
    parts = (figure.corpus, who, f"`{figure.protocol}`", figure.classes, ua, *beside, *rest)
    return dict(zip(COLUMNS, map(str, parts), strict=True))


def _details(info: ModelInfo, figure: Figure) -> str:
    """Returns recalls, groups and calibration of one figure."""
    metrics = _metrics(info, figure)
    lines = [
        f"- Recall: {_shares(metrics.recalls)}.",
        f"- Most often confused: {_confusions(metrics)}.",
        *(_groups(metrics, name) for name in ("sex", "age", "race") if len(metrics.groups(name)) > 1),
        f"- Confidence: the expected calibration error (15 bins) is {100 * metrics.ece:.1f} %"
        f"{_uncalibrated(metrics)}; a perfectly calibrated model shows {100 * metrics.ece_floor:.1f} % on this "
        "many clips.",
        f"- An answer below {100 * info.calibration.unsure_below:.0f} % is called unsure: "
        f"{100 * metrics.answered:.0f} % of the clips get a sure answer, of which "
        f"{100 * metrics.answered_accuracy:.0f} % are right; of the most confident 80 % of the clips "
        f"{100 * _accuracy_at(metrics, 0.8):.0f} % are right.",
    ]
    if metrics.untrained:
        lines.append(f"- No other corpus has {', '.join(metrics.untrained)}: never predicted, so every clip is wrong.")
    if sets := metrics.sets:
        lines.append(_sets(sets))
    if ranking := metrics.intensity:
        lines.append(
            f"- Intensity: of a strongly and a mildly expressed clip, the strong one ranks higher in "
            f"{100 * ranking['any']:.0f} % of the pairs, "
            f"{100 * ranking['same']:.0f} % where speaker and emotion are the same."
        )
    heading = f"\n### {figure.corpus}, `{figure.protocol}`, {figure.classes} classes\n\n"
    return heading + _wrapped(lines) + "\n"


def _sets(sets: dict[str, dict]) -> str:
    inside, worst, sizes = (
        " / ".join(form(own) for own in sets.values())
        for form in (
            lambda own: f"{100 * own['coverage']:.0f}",
            lambda own: f"{100 * own['speakers'][1]:.0f}",
            lambda own: f"{own['size']:.1f}",
        )
    )
    return (
        f"- Sets of `--coverage {' / '.join(sets)}`, on clips that they were not fitted to: they contain the right "
        f"emotion for {inside} % of the clips ({worst} % for the speaker at the lowest decile), with {sizes} emotions "
        "on average."
    )


def _uncalibrated(metrics: Metrics) -> str:
    if get_protocol(metrics.protocol).foreign:
        return ", uncalibrated because the corpus was left out"
    return f", {100 * metrics.ece_before:.1f} % without temperature"


def _wrapped(lines: Iterable[str]) -> str:
    return "\n".join(fill(line, 120, subsequent_indent="  ", break_on_hyphens=False) for line in lines)


def _shares(shares: dict[str, float]) -> str:
    return ", ".join(f"{name} {100 * share:.1f}" for name, share in sorted(shares.items(), key=lambda pair: -pair[1]))


def _groups(metrics: Metrics, name: str) -> str:
    groups = metrics.groups(name)
    told = ", ".join(f"{group} {100 * own['ua']:.1f} ({own['clips']:.0f} clips)" for group, own in groups.items())
    return f"- UA by {name}: {told}."


def _confusions(metrics: Metrics) -> str:
    labels, table = metrics.labels, metrics.confusion
    pairs = [
        (table[i][j] / max(1, sum(table[i])), true, taken)
        for i, true in enumerate(labels)
        for j, taken in enumerate(metrics.answers)
        if true != taken
    ]
    worst = sorted(pairs, reverse=True)[:3]
    return ", ".join(f"{true} as {taken} ({100 * share:.0f} % of the {true} clips)" for share, true, taken in worst)


def _accuracy_at(metrics: Metrics, coverage: float) -> float:
    return min(metrics.risk_coverage, key=lambda point: abs(point[0] - coverage))[1]


if __name__ == "__main__":
    main()
