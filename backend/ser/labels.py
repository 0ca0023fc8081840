"""The canonical emotion names and their order, and how one label set is read as another."""

EMOTIONS = ("angry", "calm", "disgust", "fearful", "happy", "neutral", "sad", "surprised")


def canonical_order(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Returns ``labels`` sorted into the canonical order of ``EMOTIONS``."""
    return tuple(sorted(labels, key=EMOTIONS.index))


def relabel(emotion: str, labels: tuple[str, ...]) -> str | None:
    """Reads an emotion in another label set: calm counts as neutral where it has no class of its own.

    Returns:
        The label, or None where ``labels`` has no class for the emotion.
    """
    if emotion in labels:
        return emotion
    return "neutral" if emotion == "calm" and "neutral" in labels else None
