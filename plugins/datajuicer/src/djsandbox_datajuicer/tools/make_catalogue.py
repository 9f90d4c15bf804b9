"""Writes `catalogue.json`: what the installed Data-Juicer's operators and config keys are.

    python -m djsandbox_datajuicer.tools.make_catalogue

Everything is read from the sources with `ast`: importing them all would need torch and a dozen more libraries.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from djsandbox_datajuicer.tools.arg_types import describe_type
from djsandbox_datajuicer.tools.op_classes import (
    OpClass,
    constant,
    installed_package,
    kind_of,
    lineage,
    methods,
    operators,
    read_op_classes,
)
from djsandbox_datajuicer.tools.stat_use import bounds, effective_methods, stat_free_arguments, statistics

CATALOGUE = Path(__file__).parents[1] / "catalogue.json"

_LONG_DEFAULT = 40
_UNSURE = re.compile(
    r"\b(np\.random(?!\.RandomState\(seed)|torch\.rand\w*|import random|(?<!np\.)random\.\w+\("
    r"|api_model|api_or_hf_model|sampling_params|model_params|temperature|diffusers|nlpaug|nlpcda|requests\.|download)\b"
)
_READS = {
    "models": re.compile(r"\b(prepare_model|get_model|check_model\w*|prepare_sentencepiece\w*|DATA_JUICER_MODELS_CACHE)\b"),
    "words": re.compile(r"\bload_words_asset\b"),
}
_MAKES_OPERATORS = re.compile(r"\bload_ops\b|\bOPERATORS\.modules\b|\bprepare_op_args\b")
_DECIDING_BASE_ARGS = ("min_closed_interval", "max_closed_interval", "reversed_range", "stats_export_path")


def build() -> dict[str, Any]:
    """The catalogue of the Data-Juicer that is installed here."""
    package = installed_package()
    classes = read_op_classes(package)
    stat_names = _string_constants(package / "utils" / "constant.py", "StatsKeysConstant")
    return {
        "version": version("py-data-juicer"),
        "keys": _config_keys(package / "config" / "config.py"),
        "base_args": {
            "op": _base_arguments(classes["OP"]),
            "filter": _base_arguments(classes["Filter"]),
        },
        "hash_columns": sorted(
            "__dj__" + name for name in ("hash", "minhash", "simhash", "line_hashes", "imagehash", "videohash")
        ),
        "ops": {name: _describe(op, classes, stat_names) for name, op in operators(classes)},
    }


def dump(catalogue: dict[str, Any]) -> str:
    """The catalogue as JSON, one operator or key a line."""
    lines = ["{", f' "version": {json.dumps(catalogue["version"])},']
    lines.append(f' "hash_columns": {json.dumps(catalogue["hash_columns"])},')
    lines.append(f' "base_args": {json.dumps(catalogue["base_args"])},')
    for block in ("keys", "ops"):
        entries = [f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in catalogue[block].items()]
        lines += [f' "{block}": {{', ",\n".join(entries), " }" + ("," if block == "keys" else "")]
    return "\n".join([*lines, "}"]) + "\n"


def main() -> None:
    """Write the catalogue of the installed Data-Juicer into this package."""
    CATALOGUE.write_text(dump(build()), encoding="utf-8")
    sys.stdout.write(f"{CATALOGUE}: {CATALOGUE.stat().st_size} bytes\n")


def _describe(op: OpClass, classes: dict[str, OpClass], stat_names: dict[str, str]) -> dict[str, Any]:
    arguments = _arguments(op, classes)
    entry: dict[str, Any] = {"kind": kind_of(op, classes), "args": arguments}
    source = "".join(ancestor.source.read_text(encoding="utf-8") for ancestor in lineage(op, classes))
    if _UNSURE.search(source):
        entry["unsure"] = True
    reads = [folder for folder, use in _READS.items() if use.search(source) or _MAKES_OPERATORS.search(source)]
    if reads:
        entry["reads"] = reads
    if "TAGGING_OPS" in op.registered:
        entry["tagging"] = True
    if entry["kind"] == "filter" and "NON_STATS_FILTERS" not in op.registered:
        entry["stats"] = statistics(effective_methods(op, classes), stat_names)
        limits = bounds(op, classes, stat_names)
        if limits:
            entry["bounds"] = limits
        free = list(limits) if "unsure" in entry else stat_free_arguments(op, classes, list(arguments))
        if free:
            entry["stat_free"] = free
    return entry


def _arguments(op: OpClass, classes: dict[str, OpClass]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for ancestor in lineage(op, classes):
        init = methods(ancestor).get("__init__")
        if init is None:
            continue
        for argument, default in _with_defaults(init.args):
            found.setdefault(argument.arg, _argument(argument, default, ancestor.constants))
    return found


def _with_defaults(arguments: ast.arguments) -> list[tuple[ast.arg, ast.expr | None]]:
    plain = arguments.args[1:]  # less self
    missing: list[ast.expr | None] = [None] * (len(plain) - len(arguments.defaults))
    return [
        *zip(plain, [*missing, *arguments.defaults][-len(plain) or None :], strict=False),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]


def _argument(argument: ast.arg, default: ast.expr | None, names: dict[str, Any]) -> dict[str, Any]:
    described = describe_type(argument.annotation)
    if default is None:
        return described
    try:
        value = constant(default, names)
    except ValueError:
        return described
    if value is not None and len(json.dumps(value)) <= _LONG_DEFAULT:
        described["default"] = value
    return described


def _base_arguments(op: OpClass) -> dict[str, dict[str, Any]]:
    """`_BASE_PARAMS` of a generic operator class: name -> (type or None, default)."""
    found: dict[str, dict[str, Any]] = {}
    for statement in op.node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="_BASE_PARAMS")], value=ast.Dict(keys=keys, values=values)):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(value, ast.Tuple):
                        found[str(key.value)] = describe_type(value.elts[0])
                        if key.value in _DECIDING_BASE_ARGS:
                            found[str(key.value)]["decides"] = True
    return found


def _config_keys(path: Path) -> dict[str, dict[str, Any]]:
    """Every `--key` of the parser; of dotted keys the first part."""
    found: dict[str, dict[str, Any]] = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(attr="add_argument"), args=[ast.Constant(value=str(option))], keywords=keywords):
                name = option.removeprefix("--").replace("-", "_")
                head, _, rest = name.partition(".")
                found[head] = {"type": "dict"} if rest else _config_key(keywords)
    return found


def _config_key(keywords: list[ast.keyword]) -> dict[str, Any]:
    given = {item.arg: item.value for item in keywords}
    action = given.get("action")
    if isinstance(action, ast.Constant) and action.value == "store_true":
        return {"type": "bool"}
    described = {"type": "list"} if "nargs" in given else describe_type(given.get("type"))
    if "choices" in given:
        described["choices"] = constant(given["choices"], {})
    return described


def _string_constants(path: Path, class_name: str) -> dict[str, str]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and node.name == class_name:
            return {
                item.targets[0].id: str(constant(item.value, {}))
                for item in node.body
                if isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name)
            }
    raise LookupError(f"{path} has no class {class_name}")


if __name__ == "__main__":
    main()
