"""The canonical emotion names and their order, other words for them, and how one label set is read as another."""

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
    """Returns the canonical name of an emotion in other people's words ("Anger", "happiness"), None where unknown."""
    return _CANONICAL.get(word.strip().lower())


def relabel(emotion: str, labels: tuple[str, ...]) -> str | None:
    """Reads an emotion in another label set: calm counts as neutral where it has no class of its own.

    Returns:
        The label, or None where ``labels`` has no class for the emotion.
    """
    if emotion in labels:
        return emotion
    return "neutral" if emotion == "calm" and "neutral" in labels else None
