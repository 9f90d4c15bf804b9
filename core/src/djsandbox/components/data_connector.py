"""What the sandbox has as data (paths, rows, data frames) as a `datasets.Dataset`, with nothing fetched from anywhere."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import importlib
import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from djsandbox.errors import ComponentError


@dataclass(frozen=True)
class _Reader:
    """A method of `datasets.Dataset` that reads files of one kind, and its options."""

    kind: str
    method: str
    options: Mapping[str, Any] = field(default_factory=dict)


_SAVED = _Reader("saved datasets", "load_from_disk")
# Some JSON files would be taken for records of agents, and come out as something else.
_JSON = _Reader("JSON", "from_json", {"parse_agent_traces": False})
_READERS = {
    ".jsonl": _JSON,
    ".json": _JSON,
    ".csv": _Reader("CSV", "from_csv"),
    ".tsv": _Reader("TSV", "from_csv", {"sep": "\t"}),
    ".parquet": _Reader("Parquet", "from_parquet"),
    ".txt": _Reader("text", "from_text"),
}
_COMPRESSED = (".gz", ".zst", ".bz2", ".xz")
_KNOWN = f"known: {', '.join(_READERS)}, also with {', '.join(_COMPRESSED)} behind it"


def dataset_of(data: Any, cache_dir: Path, **options: Any) -> Any:
    """`data` as a `datasets.Dataset`; see `BaseModelExecutor.data_connector`, of which this is the default."""
    datasets = _datasets()
    if isinstance(data, datasets.Dataset):
        return data
    if _is_path(data):
        return _of_paths([data], cache_dir, options)
    if type(data).__module__.partition(".")[0] == "pandas" and hasattr(data, "columns"):
        with _telling("the data frame"):
            return datasets.Dataset.from_pandas(data, preserve_index=False, **options)
    if isinstance(data, (Mapping, bytes)) or not isinstance(data, Iterable):
        raise ComponentError(
            f"a value of type '{type(data).__name__}' is no data",
            fix="give a path, a list of paths, rows (mappings), a data frame or a datasets.Dataset",
        )
    items = list(data)
    if items and all(_is_path(item) for item in items):
        return _of_paths(items, cache_dir, options)
    return _of_rows(items, options)


def _datasets() -> Any:
    try:
        return importlib.import_module("datasets")
    except ModuleNotFoundError as error:
        if error.name != "datasets":
            raise
        raise ComponentError(
            "reading data as a datasets.Dataset needs the package datasets, which is not installed",
            fix='pip install "djsandbox[datasets]"',
        ) from error


def _is_path(data: Any) -> bool:
    return isinstance(data, (str, os.PathLike))


def _of_rows(rows: Sequence[Any], options: Mapping[str, Any]) -> Any:
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, Mapping):
            raise ComponentError(
                f"row {number} is a value of type '{type(row).__name__}'", fix="a row is a mapping: {'text': 'some words'}"
            )
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [row.get(name) for row in rows] for name in names}
    with _telling("the rows"):
        return _datasets().Dataset.from_dict(columns, **{"on_mixed_types": "use_json", **options})


def _of_paths(paths: Sequence[Any], cache_dir: Path, options: Mapping[str, Any]) -> Any:
    """The rows of all files, in their order."""
    files = [found for path in paths for found in _files_of(Path(path))]
    groups = itertools.groupby(files, key=lambda found: found[1])
    parts = [_read(reader, [path for path, _ in group], cache_dir, options) for reader, group in groups]
    if len(parts) == 1:
        return parts[0]
    with _telling(_named([path for path, _ in files])):
        return _datasets().concatenate_datasets(parts)


def _files_of(path: Path) -> list[tuple[Path, _Reader]]:
    """The files at `path`, each with who reads it; a folder that `save_to_disk` wrote is like a file."""
    if path.is_file():
        reader = _reader_of(path)
        if reader is None:
            raise ComponentError(f"{path} is of no kind that can be read", fix=_KNOWN)
        return [(path, reader)]
    if not path.is_dir():
        fix = "give the path of local data: nothing is downloaded" if not path.is_absolute() else None
        raise ComponentError(f"there is no file or folder {path}", fix=fix)
    if (path / "dataset_dict.json").is_file():
        raise ComponentError(f"{path} holds several splits", fix=f"give the folder of one of them, such as {path / 'train'}")
    if (path / "state.json").is_file() and (path / "dataset_info.json").is_file():
        return [(path, _SAVED)]
    found = [(file, reader) for file in _visible(path) if (reader := _reader_of(file)) is not None]
    kinds = sorted({reader.kind for _, reader in found})
    if not found:
        raise ComponentError(f"the folder {path} holds no data", fix=_KNOWN)
    if len(kinds) > 1:
        raise ComponentError(f"the folder {path} holds files of several kinds: {', '.join(kinds)}", fix="name the files")
    return found


def _visible(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not any(part.startswith((".", "_")) for part in file.relative_to(folder).parts):
            yield file


def _reader_of(file: Path) -> _Reader | None:
    suffixes = [suffix.lower() for suffix in file.suffixes]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    return _READERS.get(suffixes[-1]) if suffixes else None


def _read(reader: _Reader, files: Sequence[Path], cache_dir: Path, options: Mapping[str, Any]) -> Any:
    datasets = _datasets()
    if reader is _SAVED:
        with _telling(_named(files)):
            return datasets.concatenate_datasets([datasets.load_from_disk(str(file)) for file in files])
    full = [file for file in files if file.stat().st_size]
    if not full:
        raise ComponentError(f"there are no rows in {_named(files)}", fix="look at the job that wrote it")
    # It takes a path for a pattern, and a file for the same as long as its time of change is.
    patterns = [glob.escape(str(file.absolute())) for file in full]
    cache = cache_dir.absolute() / "datasets" / _identity(full)
    with _telling(f"{_named(files)} ({reader.kind})"):
        read = getattr(datasets.Dataset, reader.method)
        return read(patterns, cache_dir=str(cache), **{**reader.options, **options})


def _identity(files: Iterable[Path]) -> str:
    """Differs wherever the content may: the time of the last change of an inode cannot be set back."""
    stats = [(str(file.absolute()), file.stat()) for file in files]
    known = [(path, stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns) for path, stat in stats]
    return hashlib.sha256(repr(known).encode("utf-8", "surrogateescape")).hexdigest()[:16]


@contextlib.contextmanager
def _telling(what: str) -> Iterator[None]:
    """Make a ComponentError of what `datasets` and its readers have against data, naming it."""
    try:
        yield
    except Exception as error:
        if type(error) is TypeError:  # an option that the reader does not know
            raise
        reason = str(error.__cause__ or error).strip()
        if isinstance(error, StopIteration) or "corresponds to no data" in reason:
            reason = "there are no rows in it"
        raise ComponentError(f"{what} cannot be made a dataset: {reason}", fix="look at what wrote it") from error


def _named(files: Sequence[Path]) -> str:
    return str(files[0]) if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"
