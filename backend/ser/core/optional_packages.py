"""Says how to install the packages that only training, evaluation, figures and the acoustic statistics need."""

from __future__ import annotations

from importlib.util import find_spec

from ser.core.errors import SerError

OPTIONAL = ("librosa", "matplotlib", "requests", "scipy", "sklearn", "tensorboard", "urllib3")  # names of modules


class PackageError(SerError):
    """A package that is not installed because serving does not need it; the message holds the command that does."""

    code = "not_implemented"
    exit_code = 4


def require(module: str, purpose: str) -> None:
    """Checks that an optional package is installed, without importing it.

    Args:
        module: one of ``OPTIONAL``.
        purpose: what needs it, as the subject of a sentence.

    Raises:
        PackageError: it is not installed.
    """
    if find_spec(module) is None:
        raise package_error(module, purpose)


def package_error(module: str, purpose: str = "This command") -> PackageError:
    """Returns the error that says what to install."""
    return PackageError(
        f"{purpose} needs the package {module}, which is not installed. Install the packages for training: "
        "python3 -m backend setup --train (in a checkout), or pip install -e '.[train]' in the folder backend."
    )
