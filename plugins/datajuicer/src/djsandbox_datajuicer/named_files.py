"""Files that decide a result beside the dataset: those that arguments name, own operators, and Data-Juicer's own folders.

Both the content key of a job and the signature of a statistic are made from what is found here. Data-Juicer is not imported.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from djsandbox_datajuicer.catalogue import operators

_BLOCK = 1 << 20
_SMALL = 64 << 20
_NO_INPUT = re.compile(
    r"save_|output_|export_|temp_|visualization_dir"
    r"|^(?:frame_dir|work_dir|face_track_bbox_path|point_cloud_dir_for_metric)$"
    r"|(?:^|_)(?:keys?|fields?|field_names?|columns|lang|type)$"
)
"""Arguments that name a place to write to, a column, or one of a few words."""
_WORD = re.compile(r"\w")


def named(value: Any, argument: str = "") -> Iterator[str]:
    """Every existing local file or folder that `value` names, at any depth, in order.

    Where an operator writes, and names of columns, are not meant (`save_dir`, `text_key`), nor is a lone `.` or `/`.
    """
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from named(inner, str(key))
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from named(inner, argument)
    elif isinstance(value, str) and not _NO_INPUT.search(argument) and _WORD.search(value) and _is_there(value):
        yield value


def code_of(path: str | Path) -> list[str]:
    """The Python files of an operator of the user's own: a file, or all that lie in a folder."""
    return [str(found) for found in sorted(Path(path).rglob("*.py"))] if Path(path).is_dir() else [str(path)]


def identities(paths: Iterable[str]) -> dict[str, str]:
    """Path -> what tells its content from another: the content itself, or size and time of change where it is large."""
    return {path: content_hash(Path(path), _SMALL) for path in paths}


def content_hash(path: Path, at_most: float = math.inf) -> str:
    """Hash of a file, or of all files of a folder with their names; of more than `at_most` bytes, their time of change."""
    digest = hashlib.blake2b(digest_size=20)
    for file in _files(path):
        status = file.stat()
        digest.update(f"{file.relative_to(path)}\0{status.st_size}\0".encode())
        if status.st_size > at_most:
            digest.update(f"{status.st_mtime_ns}\0".encode())
            continue
        with file.open("rb") as content:
            while block := content.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()


def folder_marks(names: Iterable[str]) -> dict[str, list[list[Any]]]:
    """Data-Juicer's folders that the operators `names` read, by kind: name, size and time of change of what lies in them.

    Nothing is read, and nothing looked at below their first level. Operators that the catalogue lacks may read all of them.
    """
    known = operators()
    read = {kind for name in names for kind in (known[name].get("reads", ()) if name in known else ("models", "words"))}
    marks: dict[str, list[list[Any]]] = {}
    if "words" in read:  # operators write pictures and frames to this folder, too
        marks["words"] = _marks(assets_folder(), "*.json")
    if "models" in read:
        marks["models"] = [mark for folder in model_folders() for mark in _marks(folder, "*")]
    return marks


def assets_folder() -> Path:
    """Where Data-Juicer keeps its word lists, by the environment variables that it reads."""
    return Path(os.getenv("DATA_JUICER_ASSETS_CACHE", str(_cache_home() / "assets")))


def model_folders() -> list[Path]:
    """Where Data-Juicer looks for models, in no particular order."""
    own = os.getenv("DATA_JUICER_MODELS_CACHE", str(_cache_home() / "models"))
    others = os.getenv("DATA_JUICER_EXTERNAL_MODELS_HOME", "").split(os.pathsep)
    return [Path(own), *(Path(other.strip()) for other in others if other.strip())]


def _cache_home() -> Path:
    default = os.path.join(os.getenv("CACHE_HOME", "~/.cache"), "data_juicer")
    return Path(os.getenv("DATA_JUICER_CACHE_HOME", default)).expanduser()


def _is_there(path: str) -> bool:
    return os.path.isfile(path) or os.path.isdir(path)  # False for a long prompt, where Path.exists raises


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(item for item in path.rglob("*") if item.is_file())


def _marks(folder: Path, pattern: str) -> list[list[Any]]:
    found = sorted(entry for entry in folder.glob(pattern) if entry.exists()) if folder.is_dir() else []
    return [[entry.name, (status := entry.stat()).st_size, status.st_mtime_ns] for entry in found]
