"""The source a component's results depend on: its file and the files of its own package that it imports."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from weakref import WeakKeyDictionary

_Import = tuple[int, tuple[str, ...]]


_digests: WeakKeyDictionary[ModuleType, str] = WeakKeyDictionary()
"""Digests of modules as they were when first asked for: a module edited since still runs the code it was imported with."""


def source_of(module: ModuleType) -> tuple[Path | None, str | None]:
    """The file of an imported module and its `source_digest`; None, None where it has no source file."""
    if getattr(module, "__file__", None) is None or not str(module.__file__).endswith(".py"):
        return None, None
    file = Path(str(module.__file__)).resolve()
    if module not in _digests:
        _digests[module] = source_digest(file, file.stem if module.__name__ == "__main__" else module.__name__)
    return file, _digests[module]


def source_digest(file: Path, module: str) -> str:
    """SHA-256 (hex) of `file` and of what it imports from its own package; of `file` alone where that is all.

    `module` is the dotted name under which `file` is imported: it tells where its package begins. Imports are read, not
    run, those inside functions too; what is imported by a computed name is not seen.
    """
    files = source_files(file, module)
    if len(files) == 1:
        return _digest(files[0])
    root = _root(file, module)
    listing = "".join(f"{found.relative_to(root).as_posix()} {_digest(found)}\n" for found in sorted(files))
    return hashlib.sha256(listing.encode()).hexdigest()


def source_files(file: Path, module: str) -> tuple[Path, ...]:
    """`file`, then the files of its package that it imports, directly or through each other."""
    root = _root(file, module)
    top = module.partition(".")[0] if "." in module or file.name == "__init__.py" else None
    found = {file: None}
    waiting = [file]
    while waiting:
        current = waiting.pop()
        package = current.parent.relative_to(root).parts
        for parts in _own_imports(current, package, top):
            for candidate in _files_of(root, parts):
                if candidate not in found:
                    found[candidate] = None
                    waiting.append(candidate)
    return tuple(found)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _root(file: Path, module: str) -> Path:
    depth = module.count(".") + (file.name == "__init__.py")
    return file.parents[depth]


def _own_imports(file: Path, package: tuple[str, ...], top: str | None) -> Iterator[tuple[str, ...]]:
    for level, parts in _imports(file.read_bytes()):
        if level == 0 and top is not None and parts[:1] == (top,):
            yield parts
        elif 0 < level <= len(package) + 1:
            yield (*package[: len(package) - level + 1], *parts)


def _files_of(root: Path, parts: tuple[str, ...]) -> Iterator[Path]:
    """The files that importing `parts` runs: packages on the way, then the module."""
    for end in range(1, len(parts) + 1):
        folder = root.joinpath(*parts[:end])
        for candidate in (folder / "__init__.py", folder.with_suffix(".py")):
            if candidate.is_file():
                yield candidate


@lru_cache(maxsize=256)
def _imports(code: bytes) -> tuple[_Import, ...]:
    """(level, dotted parts) of every import in `code`, level 0 for absolute ones; none where it is no valid Python."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return ()
    found: list[_Import] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(0, tuple(alias.name.split("."))) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = tuple(node.module.split(".")) if node.module else ()
            found += [(node.level, (*base, alias.name)) for alias in node.names]
    return tuple(found)
