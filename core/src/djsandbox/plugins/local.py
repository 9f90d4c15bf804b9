"""Importing a component from a file that lies beside a config and belongs to no package."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from djsandbox.components.naming import LOCAL_PREFIX


class _FreshLoader(SourceFileLoader):
    """Compiles the source as it is now.

    The usual bytecode cache tells versions apart by size and whole seconds, which misses a quick edit, and would leave
    `__pycache__` beside the user's configs.
    """

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


class _LocalFinder(MetaPathFinder):
    """Finds the modules of the packages that `import_file` makes, and of no other."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if not fullname.startswith(LOCAL_PREFIX) or path is None:
            return None
        name = fullname.rpartition(".")[2]
        for folder in map(Path, path):
            package = folder / name / "__init__.py"
            for file, locations in ((package, [str(package.parent)]), (folder / f"{name}.py", None)):
                if file.is_file():
                    loader = _FreshLoader(fullname, str(file))
                    return importlib.util.spec_from_file_location(
                        fullname, file, loader=loader, submodule_search_locations=locations
                    )
        return None


def import_file(file: Path, digest: str) -> ModuleType:
    """The module that `file` (absolute, `*.py`) is, imported once for each `digest` of its source.

    It is imported as a member of a package of its own that stands for its folder. So two files of one name do not clash, and
    files beside it are imported relatively (`from .helpers import split`), at the top or inside a method. The folder does
    not come onto `sys.path`.
    """
    if not any(isinstance(finder, _LocalFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _LocalFinder())
    identity = hashlib.sha256(f"{file.parent}\0{digest}".encode()).hexdigest()[:16]
    package = LOCAL_PREFIX + identity
    if package not in sys.modules:
        module = ModuleType(package)
        module.__path__ = [str(file.parent)]
        sys.modules[package] = module
    return importlib.import_module(f"{package}.{file.stem}")
