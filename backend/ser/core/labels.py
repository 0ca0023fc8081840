"""Defines the canonical emotion names, their order and synonyms, and maps one label set to another."""

from collections.abc import Sequence

from ser.core.errors import SettingsError

EMOTIONS = ("angry", "calm", "disgust", "fearful", "happy", "neutral", "sad", "surprised")

SYNONYMS = {
    "angry": ("anger", "ang", "mad"),
    "calm": ("calmness", "relaxed"),
    "disgust": ("disgusted", "dis"),
    "fearful": ("fear", "afraid", "scared", "fea"),
    "happy": ("happiness", "joy", "joyful", "hap"),
    "neutral": ("neutrality", "neu"),
    "sad": ("sadness",),
    "surprised": ("surprise", "sur"),
}
INTENSITIES = {"low": 0.0, "normal": 0.0, "medium": 0.5, "high": 1.0, "strong": 1.0}  # as corpora name them
_CANONICAL = {word: emotion for emotion, words in SYNONYMS.items() for word in (emotion, *words)}


def canonical_order(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Returns ``labels`` sorted into the canonical order of ``EMOTIONS``."""
    return tuple(sorted(labels, key=EMOTIONS.index))


def read_emotion(word: str) -> str | None:
    """Returns the canonical name of an emotion given by a synonym ("Anger", "happiness"), None if unknown."""
    return _CANONICAL.get(word.strip().lower())


def choose_emotions(chosen: str | Sequence[str] | None, labels: Sequence[str]) -> tuple[str, ...]:
    """Reads a choice among a model's emotions.

    Args:
        chosen: names or synonyms, also as one text separated by commas; None or empty for all emotions.
        labels: the emotions of the model.

    Returns:
        The chosen emotions in canonical order; empty if none or all were chosen.

    Raises:
        SettingsError: an emotion is unknown or repeated, or there are fewer than two (``emotions_invalid``).
    """
    if not chosen:
        return ()
    words = [word.strip() for word in (chosen.split(",") if isinstance(chosen, str) else chosen)]
    found = [read_emotion(word) for word in words]
    unknown = [word for word, emotion in zip(words, found, strict=True) if emotion not in labels]
    if unknown:
        problem = f"Unknown to this model: {', '.join(repr(word[:40]) for word in unknown[:8])}"
    elif len(set(found)) < len(found):
        problem = f"Repeated: {', '.join(sorted({emotion for emotion in found if found.count(emotion) > 1}))}"
    elif len(found) < 2:
        problem = f"Only {found[0]} was chosen"
    else:
        return () if len(found) == len(labels) else canonical_order(tuple(found))
    available = ", ".join(canonical_order(tuple(labels)))
    raise SettingsError(f"{problem}; choose two or more different emotions of {available}.", "emotions_invalid")


def relabel(emotion: str, labels: tuple[str, ...]) -> str | None:
    """Maps an emotion to another label set: calm counts as neutral if it has no class of its own.

    Returns:
        The label, or None if ``labels`` has no class for the emotion.
    """
    if emotion in labels:
        return emotion
    return "neutral" if emotion == "calm" and "neutral" in labels else None
