"""Features that are kept: a file for each video, found by what is in it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .problems import Unfit

_FORMAT = 1  # to be raised when the same frames would give other features: resizing, colours, layout


class FeatureStore:
    """Features of one detector, called in one way, of frames of one size and clips of one kind.

    Args:
        folder: Of all features.
        settings: Whatever beside the video decides a feature, as plain data.
    """

    def __init__(self, folder: str, settings: Mapping[str, Any]) -> None:
        text = json.dumps({"format": _FORMAT, **settings}, sort_keys=True)
        self._folder = Path(folder) / hashlib.sha256(text.encode()).hexdigest()[:32]
        self._settings = text

    @property
    def folder(self) -> Path:
        """Where these features are."""
        return self._folder

    @contextmanager
    def alone(self) -> Iterator[None]:
        """For the time in which this process is the only one that computes these features."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / "settings.json").write_text(self._settings, encoding="utf-8")
        except OSError as error:
            raise Unfit(f"{self._folder} cannot be written ({error.strerror}): name another 'cache_path'") from error
        with open(self._folder / "lock", "w", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("waiting: another evaluation is computing the same features", flush=True)  # noqa: T201
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def of(self, video: str) -> dict[int, NDArray[Any]]:
        """First frame -> feature, of the video with this digest; empty where nothing, or nothing whole, is kept."""
        try:
            with open(self._file(video), "rb") as file, np.load(file, allow_pickle=False) as kept:
                return dict(zip(kept["starts"].tolist(), kept["features"], strict=True))
        except (FileNotFoundError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return {}

    def keep(self, video: str, features: Mapping[int, NDArray[Any]]) -> None:
        """Replace what is kept of the video."""
        file = self._file(video)
        file.parent.mkdir(exist_ok=True)
        part = file.with_name(f"{file.stem}.{os.getpid()}.part.npz")
        starts = sorted(features)
        np.savez(part, starts=np.asarray(starts), features=np.stack([features[start] for start in starts]))
        part.replace(file)

    def _file(self, video: str) -> Path:
        return self._folder / video[:2] / f"{video}.npz"
