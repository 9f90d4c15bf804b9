"""The dataset of a recipe as Data-Juicer loads it, with no statistics in it that Data-Juicer would trust without reason."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from djsandbox import ComponentError
from djsandbox.errors import did_you_mean

from djsandbox_datajuicer.catalogue import catalogue, operators

STATS = "__dj__stats__"
Operation = tuple[str, dict[str, Any]]


def local_source(settings: dict[str, Any]) -> Path | None:
    """The local file or folder that `dataset_path` names, None where it is something else (a hub's name, a mixture)."""
    path = settings.get("dataset_path")
    if not path or settings.get("generated_dataset_config"):
        return None
    return Path(path).resolve() if Path(path).exists() else None


def without_shell_syntax(settings: dict[str, Any]) -> dict[str, Any]:
    """`settings` with an existing `dataset_path` as a plain path: Data-Juicer would split it at spaces."""
    source = local_source(settings)
    if source is None:
        return settings
    return {**settings, "dataset_path": "", "dataset": {"configs": [{"type": "local", "path": str(source)}]}}


def load(tool: Any, settings: dict[str, Any]) -> Any:
    """The rows that `tool` (Data-Juicer's executor or analyzer) works on."""
    source = local_source(settings)
    if source is not None:
        if source.is_file() and not source.stat().st_size:
            raise ComponentError(f"the dataset {settings['dataset_path']} is empty", fix="look at the job that wrote it")
        tool.cfg.dataset_path = str(source)  # relative paths of images and the like are relative to it
    return tool.dataset_builder.load_dataset()


def require_field(dataset: Any, field: str) -> None:
    """ComponentError where the rows have no `field`, dotted if nested, as far as the types of their columns tell."""
    from datasets import Value  # noqa: PLC0415

    known: Any = dataset.features
    for step in field.split("."):
        names = [str(name) for name in known] if isinstance(known, Mapping) else []
        if isinstance(known, Value) or (names and step not in names):
            raise ComponentError(f"data_probe_field: the rows have no '{field}'", fix=did_you_mean(step, names))
        if not names:
            return  # the rows may differ in what they have there
        known = known[step]


def trusted_keys(process: Sequence[Operation]) -> frozenset[str] | None:
    """Statistics that Data-Juicer would not compute where a row has them; None where they cannot be known."""
    keys: set[str] = set()
    for name, _ in process:
        entry = operators().get(name)
        if entry is None or ("stats" in entry and entry["stats"] is None):
            return None
        keys.update(entry.get("stats", ()))
    return frozenset(keys)


def with_statistics(dataset: Any, process: Sequence[Operation], known: Iterable[dict[str, Any]] | None = None) -> Any:
    """`dataset` with `known` statistics (one mapping a row) and none other of those that `process` computes.

    Statistics that no operator of `process` computes stay: to Data-Juicer they are data like any other.
    """
    from data_juicer.core import NestedDataset  # noqa: PLC0415
    from datasets import Dataset, Features, Json, concatenate_datasets  # noqa: PLC0415

    hashes = [name for name in catalogue()["hash_columns"] if name in dataset.features]
    if hashes and any(operators().get(name, {}).get("kind") == "deduplicator" for name, _ in process):
        dataset = dataset.remove_columns(hashes)
    present = STATS in dataset.features
    if not present and known is None:
        return dataset
    computed = trusted_keys(process)
    rows: list[dict[str, Any]] = [{} for _ in range(len(dataset))]
    if present:
        rows = [_less(row, computed) for row in _statistics_of(dataset)]
        dataset = dataset.remove_columns([STATS])
    for row, more in zip(rows, known or (), strict=known is not None):
        row.update(more)
    if not any(rows):
        return NestedDataset(dataset)
    column = Dataset.from_dict({STATS: rows}, features=Features({STATS: Json()}))
    return NestedDataset(concatenate_datasets([dataset, column], axis=1))


def read_statistics(path: Path, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    """`keys` of every row of a statistics file that Data-Juicer wrote."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)[STATS]
            yield {key: row[key] for key in keys}


def _statistics_of(dataset: Any) -> Iterator[dict[str, Any]]:
    from datasets import Dataset  # noqa: PLC0415 - its plain access, without Data-Juicer's wrapping

    column = dataset.select_columns([STATS])
    for start in range(0, len(column), 1000):
        for row in Dataset.__getitem__(column, slice(start, start + 1000))[STATS]:
            yield dict(row) if isinstance(row, dict) else {}


def _less(row: dict[str, Any], computed: frozenset[str] | None) -> dict[str, Any]:
    if computed is None:
        return {}
    return {key: value for key, value in row.items() if key not in computed and value is not None}
