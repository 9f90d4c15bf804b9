"""Where the code of a top-level module lies: in source files that may change any time, or in an installed distribution."""

from __future__ import annotations

import os
import re
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

_INSTALLED_INTO = frozenset({"site-packages", "dist-packages"})
_CORE = __name__.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Location:
    """What importing a top-level module runs.

    `folders` are package folders of source, `file` is a module that is one file, `distributions` (`name-version`) bring what is
    installed. `loose` is a file among the installed ones that no distribution brings.
    """

    folders: tuple[Path, ...] = ()
    file: Path | None = None
    distributions: tuple[str, ...] = ()
    loose: Path | None = None


def spec_of(top: str) -> ModuleSpec | None:
    """How `top`, a name without a dot, is imported; nothing is run. None for the standard library and what is not found."""
    if top in sys.stdlib_module_names:
        return None
    try:
        return find_spec(top)
    except (ImportError, ValueError, AttributeError):  # also for modules put into sys.modules by hand
        return None


def locate(spec: ModuleSpec, second: str | None) -> Location:
    """The location of the module that `spec` describes; `second`, the next part of the name, tells namespace packages apart.

    A core in a source tree has none: each of its changes would run every job again, and components use only its interface.
    """
    origin = Path(spec.origin) if spec.origin and spec.has_location else None
    packages = [Path(folder) for folder in spec.submodule_search_locations or ()]
    prefix = f"{spec.name}/{second}" if origin is None and second else spec.name
    places = packages or ([origin] if origin else [])
    if any(_is_standard(place) for place in places):
        return Location()
    owners = {place: _owners(place, prefix) for place in places}
    distributions = tuple(name for names in owners.values() for name in names)
    if spec.name == _CORE and not distributions:
        return Location()
    unowned = [place for place in places if not owners[place]]
    source = [place for place in unowned if not _is_among_installed(place)]
    return Location(
        folders=tuple(place for place in source if packages),
        file=origin if source and not packages else None,
        distributions=distributions,
        loose=origin if unowned and not source else None,
    )


def _is_standard(path: Path) -> bool:
    return path.is_relative_to(_standard_library()) and _INSTALLED_INTO.isdisjoint(path.parts)


@cache
def _standard_library() -> str:
    return sysconfig.get_path("stdlib")


def _is_among_installed(path: Path) -> bool:
    """A link is how some tools install a source tree editable."""
    return not _INSTALLED_INTO.isdisjoint(path.parent.parts) and not path.is_symlink()


def _owners(path: Path, prefix: str) -> tuple[str, ...]:
    """The distributions that bring `prefix`; those recorded beside a source tree (`.egg-info`) do not count."""
    is_installed = _is_among_installed(path)
    if not is_installed and path.is_symlink():
        return ()
    folder = path.parent
    try:
        changed = folder.stat().st_mtime_ns
    except OSError:  # inside an archive
        return ()
    return _recorded(str(folder), changed, prefix, is_installed)


@lru_cache(maxsize=1024)
def _recorded(folder: str, changed: int, prefix: str, is_installed: bool) -> tuple[str, ...]:
    """`changed`, the time the folder changed, is there for the cache: installing anything adds or removes an entry."""
    suffixes = (".dist-info", ".egg-info") if is_installed else (".dist-info",)
    records = [entry for entry in os.scandir(folder) if entry.name.endswith(suffixes)]
    for entry in records:
        name = os.path.splitext(entry.name)[0]
        if is_installed and _plain(name.partition("-")[0]) == _plain(prefix):
            return (name,)
    wanted = re.compile(rb"^%s(?:[/.]|\r?$)" % re.escape(prefix).encode(), re.MULTILINE)
    return tuple(sorted(os.path.splitext(entry.name)[0] for entry in records if wanted.search(_contents(entry.path))))


def _contents(record: str) -> bytes:
    return b"\n".join(_read(os.path.join(record, name)) for name in ("top_level.txt", "RECORD"))


def _read(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError:
        return b""


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()
