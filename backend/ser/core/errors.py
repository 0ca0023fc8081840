"""Defines every error that a user can meet.

One root with a few subclasses. The message says what was found, what was expected and what to do; ``code`` is the
stable identifier in the API's problem documents, ``exit_code`` what the command line returns.
"""


class SerError(Exception):
    """Base class of all errors that this package raises on purpose.

    Args:
        message: one or two sentences for a person.
        code: stable machine-readable identifier; the ``code`` of the class if omitted.
    """

    code = "error"
    exit_code = 1

    def __init__(self, message: str, code: str | None = None):
        super().__init__(message, code)  # both, so that an error from a worker process survives pickling
        self.code = code or type(self).code

    def __str__(self) -> str:
        return self.args[0]


class AudioError(SerError):
    """A recording that cannot be used.

    Codes: ``audio_empty``, ``audio_unreadable``, ``audio_unsupported``, ``audio_too_short``, ``audio_too_long``,
    ``audio_not_finite``, ``audio_sample_rate``, ``audio_undecodable`` (a decoder crashed or gave up),
    ``value_invalid`` (too long for the requested windows).
    """

    code = "audio_unreadable"
    exit_code = 3


class ModelError(SerError):
    """A checkpoint that is missing, damaged or of an unknown recipe (codes ``model_unknown``, ``model_damaged``)."""

    code = "model_damaged"
    exit_code = 4


class DownloadError(SerError):
    """A download that failed (codes ``download_failed``, ``download_checksum``, ``download_disk``)."""

    code = "download_failed"
    exit_code = 4


class CorpusError(SerError):
    """A corpus folder that is missing, empty or not laid out as published.

    Codes: ``corpus_missing``, ``corpus_unknown``, ``listing_invalid`` (a CSV of recordings).
    """

    code = "corpus_missing"
    exit_code = 3


class ProtocolError(SerError):
    """An evaluation that is invalid or cannot be run, such as one whose folds share a speaker."""

    code = "protocol_invalid"
    exit_code = 3


class TrainingError(SerError):
    """Training that cannot start or resume, for instance with too few clips or a saved state of other settings."""

    code = "training_invalid"
    exit_code = 3


class ProfileError(SerError):
    """A speaker profile that cannot be made or used.

    Codes: ``profile_unknown``, ``profile_name``, ``profile_model`` (made by other weights, or the model does not
    support profiles), ``profile_empty`` (no speech), ``quota_reached`` (the owner has the maximum number).
    """

    code = "profile_unknown"
    exit_code = 3


class StoreError(SerError):
    """A database of stored results that cannot be opened, read or written, or that a newer version created."""

    code = "store_unavailable"
    exit_code = 4


class SessionError(SerError):
    """A session that cannot be read or added to.

    Codes: ``session_unknown`` (it does not exist or belongs to another owner), ``session_ended``, ``chunk_conflict``
    (another chunk has the number), ``quota_reached`` (the maximum number of sessions or marks).
    """

    code = "session_unknown"
    exit_code = 3


class SettingsError(SerError):
    """A setting or option with an invalid value (codes ``setting_invalid``, ``emotions_invalid``)."""

    code = "setting_invalid"
    exit_code = 2
