"""What can be found wrong in a recipe before it runs: operators, arguments and values that Data-Juicer does not know."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from djsandbox import Finding, Loc
from djsandbox.errors import did_you_mean

from djsandbox_datajuicer.catalogue import arguments_of, config_keys, operators
from djsandbox_datajuicer.model_files import missing_models
from djsandbox_datajuicer.recipe import OWN_FILES, PROBE_ALGORITHMS, RecipeBase, operator_paths

_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "bool": (bool,),
    "list": (list, tuple),
    "dict": (Mapping,),
}
_LONGEST_SOCKET = 103 if sys.platform == "darwin" else 107
_SOCKET = len("/pymp-01234567/listener-01234567")
"""What the multiprocessing of Python puts behind the folder for temporary files, to name the sockets of its managers."""
_RESULTS = ("jsonl", "json", "parquet")
_LIMITS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


def check_recipe(config: RecipeBase) -> Iterator[Finding]:
    """All findings of one recipe."""
    yield from _check_keys(config)
    yield from _check_source(config)
    yield from _check_temp_dir(config)
    yield from _check_probe(config)
    for index, entry in enumerate(config.process):
        yield from _check_entry(("process", index), entry, bool(operator_paths(config)))


def _check_keys(config: RecipeBase) -> Iterator[Finding]:
    for key, described in config_keys().items():
        value = getattr(config, key, None)
        if key in config.model_fields_set and value is not None and key != "process":
            yield from _check_value((key,), key, value, described)
    for key in sorted(OWN_FILES & config.model_fields_set):
        if getattr(config, key) is not None:
            yield Finding((key,), f"'{key}' has no effect: Data-Juicer's own files go to the folder of the job",
                          severity="warning")  # fmt: skip
    executor = getattr(config, "executor_type", None)
    if executor in ("ray", "ray_partitioned"):
        message = (
            f"executor_type '{executor}' is not supported yet: Data-Juicer's Ray mode needs a process and a Ray of its own"
        )
        yield Finding(("executor_type",), message, "leave the key out; `np` sets the number of processes")
    if getattr(config, "auto", None):
        yield Finding(("auto",), "'auto' chooses the operators by itself", "name the operators under `process`")
    if getattr(config, "export_shard_size", None):
        message = "export_shard_size gives several files where the jobs that follow need one"
        yield Finding(("export_shard_size",), message, "leave the key out, or set it to 0")


def _check_source(config: RecipeBase) -> Iterator[Finding]:
    if not (config.dataset_path or getattr(config, "dataset", None) or getattr(config, "generated_dataset_config", None)):
        yield Finding(("dataset_path",), "the recipe names no dataset",
                      "set dataset_path, dataset or generated_dataset_config")  # fmt: skip


def _check_temp_dir(config: RecipeBase) -> Iterator[Finding]:
    folder = getattr(config, "temp_dir", None)
    is_used = getattr(config, "use_cache", None) is False or getattr(config, "use_checkpoint", None)
    if not isinstance(folder, str) or not is_used:
        return
    size, longest = len(os.fsencode(os.path.abspath(folder))), _LONGEST_SOCKET - _SOCKET
    if size > longest:
        message = f"temp_dir is {size} bytes long as an absolute path, and names sockets of Data-Juicer's processes, too"
        yield Finding(("temp_dir",), message, f"name a folder of {longest} bytes at most")


def check_result(config: RecipeBase) -> Iterator[Finding]:
    """Where the rows go: a local file of a kind that Data-Juicer writes."""
    if not config.export_path:
        yield Finding(("export_path",), "the recipe does not say where its result goes", "set export_path")
        return
    if "://" in config.export_path:
        yield Finding(("export_path",), f"'{config.export_path}' is not a local path", "name a local file")
    kind = getattr(config, "export_type", None)
    where, name = ("export_type", kind) if kind else ("export_path", PurePath(config.export_path).suffix.lstrip(".").lower())
    if name not in _RESULTS:
        yield Finding((where,), f"Data-Juicer writes no file of kind '{name}'", f"one of {', '.join(_RESULTS)}")


def _check_probe(config: RecipeBase) -> Iterator[Finding]:
    if config.data_probe_algo not in PROBE_ALGORITHMS:
        yield Finding(("data_probe_algo",), f"unknown way to sample: '{config.data_probe_algo}'",
                      did_you_mean(config.data_probe_algo, PROBE_ALGORITHMS))  # fmt: skip
    elif config.data_probe_algo != "uniform" and not config.data_probe_field:
        yield Finding(("data_probe_algo",), f"'{config.data_probe_algo}' needs a field to look at",
                      "set data_probe_field, for instance to meta.source")  # fmt: skip


def _check_entry(loc: Loc, entry: Any, own_operators: bool) -> Iterator[Finding]:
    if isinstance(entry, str):
        entry = {entry: None}
    if not isinstance(entry, Mapping) or len(entry) != 1:
        yield Finding(
            loc, "an entry of `process` is one operator with its arguments", "write it as `- operator: {argument: value}`"
        )
        return
    ((name, arguments),) = entry.items()
    if name not in operators():
        if not own_operators:
            message = f"Data-Juicer has no operator '{name}'"
            yield Finding((*loc, str(name)), message, did_you_mean_near(str(name), operators()))
        return
    yield from missing_models(loc, name, arguments if isinstance(arguments, Mapping) else {})
    if arguments is None:
        return
    if not isinstance(arguments, Mapping):
        yield Finding((*loc, name), f"the arguments of '{name}' are a mapping, not {type(arguments).__name__}")
        return
    known = arguments_of(name)
    for argument, value in arguments.items():
        where = (*loc, name, str(argument))
        if argument not in known:
            own = operators()[name]["args"]
            yield Finding(where, f"'{name}' has no argument '{argument}'", did_you_mean_near(str(argument), known, own))
        elif value is not None:
            yield from _check_value(where, f"{name}.{argument}", value, known[argument])


def did_you_mean_near(word: str, choices: Mapping[str, Any], shown: Mapping[str, Any] | None = None) -> str:
    """The nearest of many choices; only `shown` (fewer) are listed where none is near."""
    remedy = did_you_mean(word, choices)
    if not remedy.startswith("known:"):
        return remedy
    return did_you_mean(word, shown) if shown else "see Data-Juicer's list of operators"


def _check_value(loc: Loc, name: str, value: Any, described: Mapping[str, Any]) -> Iterator[Finding]:
    wanted = described.get("type")
    if wanted is None:
        return
    if not any(_is(value, kind) for kind in wanted.split("|")):
        yield Finding(loc, f"{name} is {value!r}, a {type(value).__name__}; it takes {_spoken(wanted)}")
        return
    for limit, words in _LIMITS.items():
        if limit in described and not _within(value, limit, described[limit]):
            yield Finding(loc, f"{name} is {value!r}; it is {words} {described[limit]}")
    choices = described.get("choices")
    if choices and value not in choices:
        yield Finding(loc, f"{name} is {value!r}", did_you_mean(str(value), map(str, choices)))


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "bool"
    if kind == "int" and isinstance(value, float):
        return value.is_integer()  # as Data-Juicer's own preflight has it
    return isinstance(value, _TYPES[kind])


def _within(value: float, limit: str, bound: float) -> bool:
    return {"ge": value >= bound, "gt": value > bound, "le": value <= bound, "lt": value < bound}[limit]


def _spoken(wanted: str) -> str:
    names = {
        "int": "an integer",
        "float": "a number",
        "str": "a string",
        "bool": "true or false",
        "list": "a list",
        "dict": "a mapping",
    }
    return " or ".join(names[kind] for kind in wanted.split("|"))
