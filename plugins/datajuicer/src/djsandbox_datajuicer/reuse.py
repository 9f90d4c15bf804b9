"""Which statistics of an earlier analysis hold for a recipe, and the record that an analysis leaves of its own.

Data-Juicer trusts any statistic it finds in a row. So one is handed on only where a record says that it was computed on these
very rows, by this operator, with the same arguments (filter bounds do not count), the same Data-Juicer and the same models.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from djsandbox_datajuicer.catalogue import arguments_of, deciding_arguments, operators
from djsandbox_datajuicer.datasets_in import STATS, Operation, local_source
from djsandbox_datajuicer.named_files import content_hash, folder_marks, identities, named

_FOLDER = "analyses"
_LIBRARY = "py-data-juicer"
_LOADING = ("suffixes", "load_dataset_kwargs", "load_jsonl_lenient", "decrypt_after_reading", "text_keys", "validators")
_READING = ("text_keys", "image_key", "audio_key", "video_key", "image_bytes_key", "image_special_token",
            "audio_special_token", "video_special_token", "eoc_special_token")  # fmt: skip
_HOW = frozenset({"num_proc", "cpu_required", "gpu_required", "mem_required", "num_cpus", "num_gpus", "memory", "runtime_env",
                  "ray_execution_mode", "skip_op_error", "turbo", "auto_op_parallelism", "work_dir"})  # fmt: skip
_KEEPS_ROWS_AS_THEY_ARE = ("filter", "deduplicator", "selector")


@dataclass(frozen=True)
class Known:
    """Statistics that need not be computed again."""

    file: Path
    keys: tuple[str, ...]


def leave_record(cache_dir: Path, settings: Mapping[str, Any], process: Sequence[Operation], rows: int, statistics: Path,
                 analysed: Path | None) -> None:  # fmt: skip
    """Keep the `statistics` file of an analysis in `cache_dir`, with what it depends on.

    `analysed` is the file with rows and statistics, where one was written: it is known again by its content.
    """
    source = local_source(dict(settings))
    if source is None or settings.get("op_fusion"):
        return
    owners = _owners(process, settings, every=True)
    usable = _complete_keys(statistics, rows, owners)
    if not usable:
        return
    record = {
        "source": content_hash(source),
        "loading": _chosen(settings, _LOADING),
        "analysed": content_hash(analysed) if analysed else None,
        "rows": rows,
        "library": version(_LIBRARY),
        "made_by": {key: owners[key] for key in usable},
    }
    name = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:24]
    folder = cache_dir / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(statistics, folder / f"{name}.part")
    (folder / f"{name}.part").replace(folder / f"{name}.jsonl")
    (folder / f"{name}.json.part").write_text(json.dumps(record), encoding="utf-8")
    (folder / f"{name}.json.part").replace(folder / f"{name}.json")


def find_known(cache_dir: Path, settings: Mapping[str, Any], process: Sequence[Operation], rows: int) -> Known | None:
    """The record that saves most of the work of `process`, None where none holds."""
    source = local_source(dict(settings))
    records = sorted((cache_dir / _FOLDER).glob("*.json"))
    if source is None or not records or settings.get("op_fusion"):
        return None
    wanted = _owners(process, settings, every=False)
    if not wanted:
        return None
    content, loading, library = content_hash(source), _chosen(settings, _LOADING), version(_LIBRARY)
    best: Known | None = None
    for path in records:
        record = json.loads(path.read_text(encoding="utf-8"))
        same_rows = record["analysed"] == content or (record["source"] == content and record["loading"] == loading)
        if not same_rows or record["rows"] != rows or record.get("library") != library:
            continue
        keys = tuple(key for key, maker in wanted.items() if record["made_by"].get(key) == maker)
        if keys and (best is None or len(keys) > len(best.keys)):
            best = Known(path.with_suffix(".jsonl"), keys)
    return best if best is not None and best.file.exists() else None


def _owners(process: Sequence[Operation], settings: Mapping[str, Any], *, every: bool) -> dict[str, str]:
    """Statistic -> signature of the operator that computes it, which is the first that can.

    An analysis computes them `every` one on the rows as they came; a recipe does so only up to the first operator that changes
    rows. Empty where an operator computes statistics that the catalogue does not know.
    """
    owners: dict[str, str] = {}
    for name, arguments in process:
        entry = operators().get(name)
        if entry is None or ("stats" in entry and entry["stats"] is None):
            return {} if every else owners
        if entry["kind"] not in _KEEPS_ROWS_AS_THEY_ARE:
            if every and not entry.get("tagging"):
                continue
            return owners
        for key in entry.get("stats", ()):
            owners.setdefault(key, _signature(name, arguments, settings))
    return owners


def _signature(name: str, arguments: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """All that the statistics of an operator depend on, beside the rows."""
    described = arguments_of(name)
    leave_out = deciding_arguments(name) | _HOW
    matter = {
        key: value
        for key, value in arguments.items()
        if key not in leave_out and value is not None and value != described.get(key, {}).get("default")
    }
    outside = [identities(named(matter)), folder_marks([name])]
    return json.dumps([name, matter, outside, _chosen(settings, _READING)], sort_keys=True, default=str)


def _chosen(settings: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: settings[name] for name in names if settings.get(name) not in (None, [], {}, False, "")}


def _complete_keys(statistics: Path, rows: int, owners: Mapping[str, str]) -> list[str]:
    """Statistics that every row has; none where the file has other rows than the source."""
    complete, count = set(owners), 0
    with statistics.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line).get(STATS) or {}
            complete = {key for key in complete if row.get(key) is not None}
            count += 1
    return [key for key in owners if key in complete] if count == rows else []
