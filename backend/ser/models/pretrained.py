"""Loads pretrained tensors from disk, or downloads them once, and verifies them before use.

The SHA-256 of the tensors themselves, rounded to float16, is pinned, not that of a file: a file with only the tensors
that are used, or in another precision, passes; anything else is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ser.core.errors import DownloadError, ModelError

if TYPE_CHECKING:
    from ser.core.download import Progress


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """A published set of tensors.

    Attributes:
        name: of the file on disk without its suffix; a file whose name starts with it is used if there is one.
        url: where the published file is, as safetensors.
        prefix: of the tensors that are used; others are ignored.
        sha256: of those tensors, see ``fingerprint``.
        licence: short name.
        citation: whom to cite.
    """

    name: str
    url: str
    prefix: str
    sha256: str
    licence: str
    citation: str


def load_pretrained(source: Pretrained, folder: Path, *, on_progress: Progress | None = None) -> dict[str, Tensor]:
    """Returns the tensors in float32, their names without the prefix.

    Args:
        source: which tensors.
        folder: where the file is looked for, and downloaded to if it is missing.
        on_progress: called with (bytes done, bytes in all) of a download.

    Raises:
        DownloadError: there is no file and it cannot be downloaded, or the download has other tensors
            (``download_checksum``); such a download is deleted.
        ModelError: a file that was there before is damaged or has other tensors.
    """
    from ser.core.download import download  # importing requests takes 100 ms, and the shipped models need none of it

    found = sorted(folder.glob(f"{source.name}*.safetensors"))
    file = found[0] if found else download(source.url, folder / f"{source.name}.safetensors", on_progress=on_progress)
    try:
        with safe_open(file, "pt") as content:
            tensors = {
                name.removeprefix(source.prefix): content.get_tensor(name).half()
                for name in content.keys()  # noqa: SIM118  (it is no mapping)
                if name.startswith(source.prefix)
            }
        fault = "has other tensors" if fingerprint(tensors) != source.sha256 else ""
    except (SafetensorError, OSError) as error:
        fault = f"cannot be read ({error})"
    if not fault:
        return {name: tensor.float() for name, tensor in tensors.items()}
    if found:
        raise ModelError(f"{file} {fault}; expected {source.name}. Delete the file to download it again.")
    file.unlink()
    raise DownloadError(f"The file downloaded from {source.url} {fault}; it was deleted.", "download_checksum")


def fingerprint(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over every tensor's name, shape and float16 values, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name].to(torch.float16).contiguous()
        digest.update(f"{name}{tuple(value.shape)}".encode())
        digest.update(value.numpy().tobytes())
    return digest.hexdigest()
