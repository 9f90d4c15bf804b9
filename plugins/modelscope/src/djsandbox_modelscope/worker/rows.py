"""Datasets from local files, which no hub is asked about, and from ModelScope's hub."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import hub
from .faults import Fault

_BUILDERS = {".jsonl": "json", ".json": "json", ".csv": "csv", ".tsv": "csv", ".parquet": "parquet", ".txt": "text"}
_COMPRESSED = (".gz", ".zst", ".bz2", ".xz")
_KNOWN = f"known: {', '.join(_BUILDERS)}, also with {', '.join(_COMPRESSED)} behind it, and folders of them or of save_to_disk"


def first_row(path: str) -> dict[str, Any] | None:
    """The first row of a file of JSON lines; None where it is another kind of data. Fault where there is none."""
    if Path(path).suffix != ".jsonl" or not Path(path).is_file():
        return None
    with open(path, encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise Fault(f"{path}:{number}: not a JSON object: {error}") from None
            if not isinstance(row, dict):
                raise Fault(f"{path}:{number}: not a JSON object, but a {type(row).__name__}")
            return row
    raise Fault(f"there are no rows in {path}", "look at the job that wrote it")


def check_columns(path: str, columns: Sequence[str], remapping: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    """Fault where a column is to be renamed that is not there, or one that the model reads will be missing."""
    there = ", ".join(columns) or "none"
    for old, new in remapping.items():
        if old not in columns and new not in columns:
            raise Fault(f"key_remapping renames '{old}', but the rows of {path} have no such key: they have {there}")
        if old in columns and new in columns and old != new:
            raise Fault(f"key_remapping renames '{old}' to '{new}', but the rows of {path} have both")
    after = {remapping.get(column, column) for column in columns}
    for key, column in wanted.items():
        if column not in after:
            renamed = f" after key_remapping: {', '.join(sorted(after))}" if remapping else f": {there}"
            raise Fault(
                f"the model reads the key '{column}' (its preprocessor's {key}), which the rows of {path} do not have{renamed}",
                f"rename one in key_remapping, or set 'preprocessor: {{{key}: ...}}'",
            )


@dataclass(frozen=True)
class Needs:
    """What a model wants of data: columns renamed, columns by the key that names each, and labels that it knows, if told."""

    remapping: Mapping[str, str]
    wanted: Mapping[str, str]
    labels: frozenset[str] | None


def load(source: Any, split: str, needs: Needs, cache: str) -> Any:
    """The `datasets.Dataset` of a path, or of a mapping that names a dataset of the hub, its columns renamed.

    Fault where a column is missing, or a label in any of the rows is one that the model does not know.
    """
    remapping = needs.remapping
    dataset = _local(source, cache) if isinstance(source, str) else hub.dataset(source, split)
    name = source if isinstance(source, str) else str(source["dataset_name"])
    if not len(dataset):
        raise Fault(f"there are no rows in {name}", "look at the job that wrote it")
    check_columns(name, dataset.column_names, remapping, needs.wanted)
    renamed = {old: new for old, new in remapping.items() if old in dataset.column_names and old != new}
    dataset = dataset.rename_columns(renamed) if renamed else dataset
    if needs.labels is not None and "label" in needs.wanted:
        _check_labels(name, dataset, needs.wanted["label"], needs.labels)
    return dataset


def _check_labels(name: str, dataset: Any, column: str, known: frozenset[str]) -> None:
    if getattr(dataset.features.get(column), "dtype", None) not in ("string", "large_string", "int64", "int32"):
        return
    unknown = [label for label in dataset.unique(column) if label is None or str(label) not in known]
    if unknown:
        raise Fault(
            f"row {list(dataset[column]).index(unknown[0]) + 1} of {name} has the label {unknown[0]!r}, which the model does "
            f"not know: it knows {', '.join(sorted(known))}",
            "correct the rows, or set 'preprocessor: {label2id: {...}}'; the model must have as many outputs",
        )


def _local(path: str, cache: str) -> Any:
    import datasets  # noqa: PLC0415

    place = Path(path)
    if place.is_dir() and (place / "state.json").is_file():
        return datasets.load_from_disk(path)
    if not place.exists():
        raise Fault(f"there is no file or folder {path}")
    found = place.rglob("*") if place.is_dir() else [place]
    files = sorted(file for file in found if file.is_file() and (file == place or _builder(file)))
    builders = {_builder(file) for file in files}
    builder = builders.pop() if len(builders) == 1 else None
    if builder is None:
        raise Fault(f"{path} is no data that can be read, or of several kinds", _KNOWN)
    if not any(file.stat().st_size for file in files):
        raise Fault(f"there are no rows in {path}", "look at the job that wrote it")
    options = {"delimiter": "\t"} if files[0].name.partition(".")[2].startswith("tsv") else {}
    try:
        # The cache is this attempt's own: datasets tells files apart by their time of change only.
        return datasets.load_dataset(
            builder, data_files=[str(file) for file in files], split="train", cache_dir=cache, **options
        )
    except Exception as error:  # whatever its readers raise, the data cannot be read
        raise Fault(f"{path} cannot be read: {error.__cause__ or error}") from error


def _builder(file: Path) -> str | None:
    suffixes = [suffix.lower() for suffix in file.suffixes]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    return _BUILDERS.get(suffixes[-1]) if suffixes else None
