"""Every error a user can meet.

One root, a few children. The message says what came, what was expected and what to do; ``code`` is the stable word that
the API puts into a problem document, ``exit_code`` what the command line returns.
"""


class SerError(Exception):
    """Root of all errors that this package raises on purpose.

    Args:
        message: one or two sentences for a person.
        code: stable machine-readable word; the class's own ``code`` where omitted.
    """

    code = "error"
    exit_code = 1

    def __init__(self, message: str, code: str | None = None):
        super().__init__(message, code)  # both, so that an error of a worker process arrives whole
        self.code = code or type(self).code

    def __str__(self) -> str:
        return self.args[0]


class AudioError(SerError):
    """A recording that cannot be used.

    Codes: ``audio_empty``, ``audio_unreadable``, ``audio_unsupported``, ``audio_too_short``, ``audio_too_long``,
    ``audio_not_finite``, ``audio_sample_rate``, ``audio_undecodable`` (a decoder crashed or gave up),
    ``value_invalid`` (too long for the windows that were asked for).
    """

    code = "audio_unreadable"
    exit_code = 3


class ModelError(SerError):
    """A checkpoint that is missing, damaged or of an unknown recipe (codes ``model_unknown``, ``model_damaged``)."""

    code = "model_damaged"
    exit_code = 4


class DownloadError(SerError):
    """A download that did not end with the right bytes (codes ``download_failed``, ``download_checksum``)."""

    code = "download_failed"
    exit_code = 4


class CorpusError(SerError):
    """A corpus folder that is missing, empty or not laid out as published.

    Codes: ``corpus_missing``, ``corpus_unknown``, ``listing_invalid`` (a CSV of recordings).
    """

    code = "corpus_missing"
    exit_code = 3


class ProtocolError(SerError):
    """An evaluation that would not be honest or cannot be run, such as folds that share a speaker."""

    code = "protocol_invalid"
    exit_code = 3


class TrainingError(SerError):
    """Training that cannot start or go on, such as too few clips, or a saved state of other settings."""

    code = "training_invalid"
    exit_code = 3


class ProfileError(SerError):
    """A profile of a voice that cannot be made or used.

    Codes: ``profile_unknown``, ``profile_name``, ``profile_model`` (made by other weights, or the model cannot use
    any), ``profile_empty`` (no speech), ``quota_reached`` (the owner has as many as there may be).
    """

    code = "profile_unknown"
    exit_code = 3


class StoreError(SerError):
    """A database of results that cannot be opened, read or written, or that a newer version made."""

    code = "store_unavailable"
    exit_code = 4


class SessionError(SerError):
    """A session that cannot be read or added to.

    Codes: ``session_unknown`` (there is none, or it is another owner's), ``session_ended``, ``chunk_conflict`` (a
    number that another chunk has), ``quota_reached`` (there are as many sessions, or marks, as there may be).
    """

    code = "session_unknown"
    exit_code = 3


class SettingsError(SerError):
    """A setting with a value that cannot be used."""

    code = "setting_invalid"
    exit_code = 2
