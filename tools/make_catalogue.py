"""Write the core's catalogue of first-party types: `python tools/make_catalogue.py`, with `--check` to compare only.

The types are those of the entry points in the workspace's `pyproject.toml` files, each with the first line of its class's
docstring, and those of `planned_types.json` that no package of the workspace has yet. Nothing is imported.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "core/src/djsandbox/plugins/catalogue.json"
PLANNED = Path(__file__).with_name("planned_types.json")
GROUP_PREFIX = "djsandbox."

Entry = dict[str, str]


def workspace_types(root: Path = ROOT) -> Iterator[Entry]:
    """The entry points of all packages of the workspace, in groups of ours."""
    for pyproject in sorted([root / "core/pyproject.toml", *root.glob("plugins/*/pyproject.toml")]):
        project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
        for group, names in project.get("entry-points", {}).items():
            if not group.startswith(GROUP_PREFIX):
                continue
            for name, value in names.items():
                yield {
                    "group": group.removeprefix(GROUP_PREFIX),
                    "type": name,
                    "package": project["name"],
                    "description": summary(pyproject.parent / "src", value) or project["description"],
                }


def all_types(root: Path = ROOT) -> list[Entry]:
    """The whole catalogue, by group and type."""
    planned = json.loads(PLANNED.read_text(encoding="utf-8"))
    entries = {(entry["group"], entry["type"]): entry for entry in [*planned, *workspace_types(root)]}
    return [entries[key] for key in sorted(entries)]


def summary(sources: Path, value: str) -> str | None:
    """First line of the docstring of what an entry point names; None where it has none.

    For a value that is neither class nor function (an env recipe, known errors) it is that of its module.
    """
    module, _, name = value.partition(":")
    stem = sources.joinpath(*module.split("."))
    file = next((path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file()), None)
    if file is None:
        return None
    tree = ast.parse(file.read_text(encoding="utf-8"))
    members = {node.name: node for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    docstring = ast.get_docstring(members.get(name, tree))
    return docstring.splitlines()[0] if docstring else None


def rendered(root: Path = ROOT) -> str:
    """The text of the catalogue file: one entry a line, so that a diff shows what changed."""
    lines = ",\n".join(f"  {json.dumps(entry, ensure_ascii=False)}" for entry in all_types(root))
    return f"[\n{lines}\n]\n"


def main() -> int:
    """Write or check the catalogue."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="fail if the file is stale, write nothing")
    text = rendered()
    if parser.parse_args().check:
        stale = CATALOGUE.read_text(encoding="utf-8") != text
        if stale:
            sys.stderr.write("the catalogue is stale: run python tools/make_catalogue.py\n")
        return int(stale)
    CATALOGUE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
