"""Writes the licences of the shipped models: ``python -m benchmarks.accuracy.licences``, in backend/.

They are ``weights/LICENSE``, which says for every model what applies to it, and ``weights/<model>/NOTICE`` beside every
pretrained encoder. The attribution of a corpus is in ``ser/data/corpora``, that of an encoder in its recipe.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import fill

from ser.core.settings import PROJECT
from ser.data.corpus import Corpus, allow_commercial_use, get_corpus
from ser.models.checkpoint import ModelInfo, list_models
from ser.models.pretrained import Pretrained
from ser.models.recipe import get_recipe

WEIGHTS = PROJECT / "weights"
LICENCE_FILE, NOTICE_FILE = "LICENSE", "NOTICE"
WIDTH = 80
COPYRIGHT = {"whisper": "Copyright (c) 2022 OpenAI"}  # first word of an encoder's name -> its copyright line
MIT = """\
MIT License

{copyright}

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""
TERMS = {  # licence of a corpus -> what it asks for, of the weights trained on it
    "CC BY-NC-SA 4.0": (
        "you may share and adapt these weights for non-commercial purposes only, if you keep the attribution below, "
        "say what you changed, and share what you make from them under the same licence."
    ),
    "ODbL 1.0, contents DbCL 1.0": (
        "you may use, share and adapt these weights, also commercially, if you keep the attribution below and say that "
        "they contain information from the database, which is made available under the Open Database License. A "
        "database made from it that you publish or use publicly stays under that licence, and is not locked by "
        "technical measures without an unlocked copy beside it."
    ),
}
INTRODUCTION = (
    "The code of this project is under the MIT licence (backend/LICENSE). These weights are not. Each model was "
    "trained on recordings of other people, and the licences of all of its corpora apply to it. Whether the law sees "
    "weights as adapted from their training data is not settled everywhere; here they are given under the terms of "
    "that data. The recordings were resampled to 16 kHz mono for training and are not part of the weights."
)


def main() -> None:
    """Writes ``LICENSE`` and the ``NOTICE`` of every model with a pretrained encoder."""
    models = list_models(WEIGHTS)
    (WEIGHTS / LICENCE_FILE).write_text(licence_text(models), encoding="utf-8")
    for info in models:
        if (source := get_recipe(info.recipe).pretrained) is not None:
            (WEIGHTS / info.name / NOTICE_FILE).write_text(notice_text(source), encoding="utf-8")


def corpora_of(info: ModelInfo) -> list[Corpus]:
    """Returns the corpora that a model was trained on."""
    return [get_corpus(name) for name in info.corpora]


def commercial_use(info: ModelInfo) -> str:
    """Says in a sentence whether a model may be used commercially."""
    if allow_commercial_use(info.corpora):
        return "Commercial use: yes, under ODbL's terms (keep the attribution; published databases stay open)."
    titles = [corpus.title for corpus in corpora_of(info) if not corpus.commercial_use]
    verb = "excludes" if len(titles) == 1 else "exclude"
    return f"Commercial use: no (the licence of {' and that of '.join(titles)} {verb} it)."


def encoder_attribution(source: Pretrained) -> str:
    """Returns the notice of a pretrained encoder."""
    return f"Encoder {_title(source)}: {source.citation}. Licence: {source.licence}, {_holder(source)}."


def notice_text(source: Pretrained) -> str:
    """Returns the licence that has to be beside a pretrained encoder.

    Raises:
        ValueError: its licence is not MIT, the only one whose text is here.
    """
    if source.licence != "MIT":
        raise ValueError(f"{source.name} is under {source.licence}, whose text is missing here")
    about = (
        f"model.safetensors contains an encoder, {_title(source)}, in float16. {source.citation}. The licence below is "
        "that of the encoder. What was trained on top of it has the licence of its training data: see LICENSE in the "
        "folder above."
    )
    return f"{fill(about, WIDTH)}\n\n{MIT.format(copyright=_holder(source))}"


def licence_text(models: Sequence[ModelInfo]) -> str:
    """Returns ``weights/LICENSE``: what applies to which model, the attributions, and the encoders' licence."""
    corpora = {corpus.name: corpus for info in models for corpus in corpora_of(info)}
    licences = {corpus.licence: corpus for corpus in sorted(corpora.values(), key=lambda own: own.commercial_use)}
    recipes = {info.name: get_recipe(info.recipe).pretrained for info in models}
    encoders = {name: source for name, source in recipes.items() if source is not None}
    holders = dict.fromkeys(map(_holder, encoders.values()))
    return "\n".join(
        [
            *_heading("Licences of the weights in this folder"),
            fill(INTRODUCTION, WIDTH),
            "",
            *_heading("Which licence applies to which model"),
            *_items(f"{info.name}: {info.licence}. {commercial_use(info)}" for info in models),
            *(line for corpus in licences.values() for line in _terms(corpus, models)),
            *_heading("Attribution"),
            *_items([corpus.attribution for corpus in corpora.values()]),
            *_items(dict.fromkeys(map(encoder_attribution, encoders.values()))),
            *_heading(f"Licence of the encoder in {', '.join(encoders)}"),
            *(MIT.format(copyright=holder) for holder in holders),
        ]
    )


def _terms(corpus: Corpus, models: Sequence[ModelInfo]) -> list[str]:
    """The section of a licence, which is that of a corpus; models that have stricter terms as well are named apart."""
    under = [info for info in models if corpus.licence in {own.licence for own in corpora_of(info)}]
    strict = [info.name for info in under if allow_commercial_use(info.corpora) != corpus.commercial_use]
    own = [info.name for info in under if info.name not in strict]
    told = f"For {', '.join(own)}: {TERMS[corpus.licence]}"
    if strict:
        told += (
            f" Trained on these recordings as well: {', '.join(strict)}; the same attribution is due, and the "
            "non-commercial terms above apply."
        )
    return [*_heading(corpus.licence), fill(told, WIDTH), "", "Full text:", *corpus.licence_links, ""]


def _heading(text: str) -> list[str]:
    return [text, "-" * len(text), ""]


def _items(texts: Iterable[str]) -> list[str]:
    lines = [
        fill(f"- {text}", WIDTH, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)
        for text in texts
    ]
    return [*lines, ""]


def _title(source: Pretrained) -> str:
    return source.name.removesuffix("-encoder")


def _holder(source: Pretrained) -> str:
    return COPYRIGHT[source.name.partition("-")[0]]


if __name__ == "__main__":
    main()
