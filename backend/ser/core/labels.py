"""Defines the canonical emotion names, their order and synonyms, and maps one label set to another."""

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


def relabel(emotion: str, labels: tuple[str, ...]) -> str | None:
    """Maps an emotion to another label set: calm counts as neutral if it has no class of its own.

    Returns:
        The label, or None if ``labels`` has no class for the emotion.
    """
    if emotion in labels:
        return emotion
    return "neutral" if emotion == "calm" and "neutral" in labels else None
