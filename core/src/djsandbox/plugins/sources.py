"""The source a component's results depend on: its file and all it imports that no version tells."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from pathlib import Path
from types import ModuleType
from weakref import WeakKeyDictionary

from djsandbox.components.naming import named_class
from djsandbox.errors import PluginError
from djsandbox.plugins.locations import Location, locate, spec_of

_Name = tuple[str, ...]
_Import = tuple[int, _Name]

_BESIDE = ""
"""Stands for the package of a file that belongs to none: what it imports relatively lies beside it."""

_digests: WeakKeyDictionary[ModuleType, str] = WeakKeyDictionary()
"""Digests of modules as they were when first asked for: a module edited since still runs the code it was imported with."""

_imported: WeakKeyDictionary[ModuleType, tuple[ModuleSpec | None, bytes]] = WeakKeyDictionary()
"""The same for the code of modules that were imported along; a reloaded module has another spec."""

_last_read: dict[Path, bytes] = {}
"""The code of modules not imported yet when it was last asked for."""

_imports_of: dict[str, tuple[_Import, ...]] = {}
"""By digest of the code."""


def source_of(module: ModuleType) -> tuple[Path | None, str | None]:
    """The file of an imported module and its `source_digest`; None, None where it has no source file."""
    if getattr(module, "__file__", None) is None or not str(module.__file__).endswith(".py"):
        return None, None
    file = Path(str(module.__file__)).resolve()
    if module not in _digests:
        _digests[module] = source_digest(file, file.stem if module.__name__ == "__main__" else module.__name__)
    return file, _digests[module]


def source_digest(file: Path, module: str, *, is_program: bool = False) -> str:
    """SHA-256 (hex) of `file` and of the source it imports; of `file` alone where that is all.

    `module` is the dotted name under which `file` is imported: it tells where its package begins. What it imports from its own
    package, from `PYTHONPATH` or from an editable install counts with its content, and so does what that imports; what is
    installed counts with its distribution's name and version, the standard library and a core in a source tree not at all.
    What a program (`is_program`) imports may lie beside it, too. Imports are read, not run, those inside functions too; what is
    imported by a computed name is not seen.
    """
    reach = _Reach.of(file, module, is_program=is_program)
    if len(reach.files) == 1 and not reach.distributions:
        return reach.files[file][1]
    lines = sorted(f"{'.'.join(name)} {digest}\n" for name, digest in reach.files.values())
    return hashlib.sha256("".join([*lines, *(f"{name}\n" for name in sorted(reach.distributions))]).encode()).hexdigest()


def worker_digest(component_class: type, worker: str) -> str:
    """The `source_digest` of a program that a component runs: a file beside the component's own, or a module.

    Raises PluginError where there is no such file or module.
    """
    place = named_class(component_class)
    if worker.endswith(".py"):
        beside = Path(str(sys.modules[component_class.__module__].__file__)).with_name(worker)
        found: Path | None = beside if beside.is_file() else None
        name = beside.stem
    else:
        spec = importlib.util.find_spec(worker) if spec_of(worker.partition(".")[0]) else None
        found = Path(spec.origin) if spec is not None and spec.origin and spec.origin.endswith(".py") else None
        name = worker
    if found is None:
        fix = "name files beside the component's own (worker.py), or modules of its package"
        raise PluginError(f"the component {place} names the worker '{worker}', which cannot be found", fix=fix)
    return source_digest(found.resolve(), name, is_program=worker.endswith(".py"))


@dataclass(slots=True)
class _Reach:
    """All that one file imports, directly or through other source: files with module name and digest, and distributions."""

    files: dict[Path, tuple[_Name, str]] = field(default_factory=dict)
    distributions: set[str] = field(default_factory=set)
    beside: Path | None = None
    own: dict[str, Location] = field(default_factory=dict)
    specs: dict[str, ModuleSpec | None] = field(default_factory=dict)
    locations: dict[_Name, Location] = field(default_factory=dict)
    waiting: list[tuple[_Name, tuple[_Import, ...]]] = field(default_factory=list)

    @classmethod
    def of(cls, file: Path, module: str, *, is_program: bool = False) -> _Reach:
        """Follow the imports of `file`, which is imported as `module`."""
        is_package = file.name == "__init__.py"
        name = tuple(module.split(".")) if "." in module or is_package else (_BESIDE, module)
        reach = cls(beside=file.parent if is_program else None)
        reach.own[name[0]] = Location(folders=(file.parents[len(name) - 2 + is_package],))
        reach.add(name, file)
        while reach.waiting:
            package, imports = reach.waiting.pop()
            for level, parts in imports:
                if level <= len(package):
                    reach.follow((*package[: len(package) - level + 1], *parts) if level else parts)
        return reach

    def follow(self, name: _Name) -> None:
        """Add what importing `name` runs."""
        location = self.locate(name)
        self.distributions.update(location.distributions)
        if location.loose is not None:
            self.add(name[:1], location.loose, alone=True)
        if location.file is not None and location.file.is_file():
            self.add(name[:1], location.file)
        for folder in location.folders:
            for found, file in _files_below(folder, name):
                self.add(found, file)

    def locate(self, name: _Name) -> Location:
        """Where the package that `name` begins with lies."""
        top = name[0]
        if top in self.own:
            return self.own[top]
        if self.beside is not None and (self.beside / top / "__init__.py").is_file():
            return Location(folders=(self.beside / top,))
        if self.beside is not None and (self.beside / f"{top}.py").is_file():
            return Location(file=self.beside / f"{top}.py")
        if top not in self.specs:
            self.specs[top] = spec_of(top)
        spec = self.specs[top]
        if spec is None:
            return Location()
        if name[:2] not in self.locations:
            self.locations[name[:2]] = locate(spec, name[1] if len(name) > 1 else None)
        return self.locations[name[:2]]

    def add(self, name: _Name, file: Path, *, alone: bool = False) -> None:
        """Add `file` and, unless `alone`, what it imports."""
        if file in self.files:
            return
        code = _code(name, file)
        digest = hashlib.sha256(code).hexdigest()
        self.files[file] = (name, digest)
        if not alone and file.suffix == ".py":
            if digest not in _imports_of:
                _imports_of[digest] = tuple(_imports(code))
            self.waiting.append((name if file.name == "__init__.py" else name[:-1], _imports_of[digest]))


def _files_below(folder: Path, name: _Name) -> Iterator[tuple[_Name, Path]]:
    """The files that importing `name` runs, whose first part is the package `folder`: packages on the way, then the module."""
    for end in range(2 if name[0] == _BESIDE else 1, len(name) + 1):
        place = os.path.join(folder, *name[1:end])
        modules = [place + suffix for suffix in (".py", *EXTENSION_SUFFIXES)] if end > 1 else []
        found = next(filter(os.path.isfile, [os.path.join(place, "__init__.py"), *modules]), None)
        if found is not None:
            yield name[:end], Path(found)


def _code(name: _Name, file: Path) -> bytes:
    """The content of `file`; of a module that is imported by now, that which it was imported with.

    Where the file changed between the last look at it and the first one after its import, either may be what runs: then it is
    both, so that this state is like no other.
    """
    module = sys.modules.get(".".join(name))
    if not isinstance(module, ModuleType):
        code = _last_read[file] = file.read_bytes()
        return code
    spec = module.__spec__
    if module not in _imported or _imported[module][0] is not spec:
        now = file.read_bytes()
        before = _last_read.pop(file, now)
        _imported[module] = (spec, now if now == before else before + b"\n" + now)
    return _imported[module][1]


def _imports(code: bytes) -> Iterator[_Import]:
    """(level, dotted parts) of every import in `code`, level 0 for absolute ones; none where it is no valid Python."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((0, tuple(alias.name.split("."))) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = tuple(node.module.split(".")) if node.module else ()
            yield from ((node.level, (*base, alias.name)) for alias in node.names)
