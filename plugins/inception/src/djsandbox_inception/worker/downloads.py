"""Detectors that are not there yet are downloaded, whole or not at all."""

from __future__ import annotations

import fcntl
import http.client
import os
import shutil
import urllib.error
import urllib.request
from pathlib import Path

from .order import DetectorOrder
from .problems import Unfit
from .reading import digest_of

_PATIENCE = 60.0
_ZIP = b"PK\x03\x04"  # as TorchScript files begin


def provided(detector: DetectorOrder) -> str:
    """The detector's digest, once its file is there and is what it was published as, as far as that is known.

    What has no published checksum is held to that of its first download, which is kept beside it.
    """
    path = Path(detector.path)
    if not path.is_file():
        if detector.url is None:
            raise Unfit(f"there is no detector {path}")
        _download(detector.url, path, detector.sha256)
    digest = digest_of(str(path))
    if detector.url is not None:  # in the cache of published ones, not a file of the user's own
        note = _note(path)
        expected = detector.sha256 or (note.read_text(encoding="utf-8").strip() if note.is_file() else digest)
        if digest != expected:
            raise Unfit(
                f"{path} is not the published file: its SHA-256 is {digest}, not {expected}; remove it, or name another"
            )
    return digest


def _download(url: str, path: Path, sha256: str | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_name(f"{path.name}.lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.is_file():
            return
        print(f"downloading {url} to {path}", flush=True)  # noqa: T201
        part = path.with_name(f"{path.name}.part")
        by_hand = f"download it by hand to {path}, or name a file in 'detector_path'"
        try:
            with urllib.request.urlopen(url, timeout=_PATIENCE) as answer, part.open("wb") as file:  # noqa: S310 - ours
                shutil.copyfileobj(answer, file)
                length = answer.headers.get("Content-Length")
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            part.unlink(missing_ok=True)
            raise Unfit(
                f"the detector cannot be downloaded from {url} ({getattr(error, 'reason', error)}): {by_hand}"
            ) from error
        problem = _problem(part, length, sha256)
        if problem:
            part.unlink()
            raise Unfit(f"what was downloaded from {url} is not the detector: {problem}; {by_hand}")
        if sha256 is None:
            _note(path).write_text(f"{digest_of(str(part))}\n", encoding="utf-8")
        os.replace(part, path)


def _problem(part: Path, length: str | None, sha256: str | None) -> str | None:
    size = part.stat().st_size
    if length is not None and size != int(length):
        return f"it has {size} bytes of {length}"
    with part.open("rb") as file:
        if file.read(len(_ZIP)) != _ZIP:
            return "it is no TorchScript file"
    digest = digest_of(str(part))
    return None if sha256 in (None, digest) else f"its SHA-256 is {digest}, not {sha256}"


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")
