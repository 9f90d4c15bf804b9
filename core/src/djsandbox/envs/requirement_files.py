"""Requirements files, read with all they include into lines that mean the same anywhere."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from djsandbox.errors import ConfigError, Position

_COMMENT = re.compile(r"(^|\s)#.*$")
_NAMED = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:$|[\[<>=!~@;( ])")
_EGG = re.compile(r"#egg=([A-Za-z0-9._-]+)")
_PLACES = ("-f", "--find-links", "-i", "--index-url", "--extra-index-url")  # options whose values may be local, too
_ARCHIVES = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_AT_FILE = re.compile(r"((?:[^@]*@)?\s*)file:(?!//)(.*)", re.DOTALL)  # `name @ file:./sub`, where it is no whole URL
_PATH = re.compile(r"([^\[;#]+?)((?:\[[^\]]*\])?\s*(?:[;#].*|\s--.*)?)", re.DOTALL)  # and extras, markers, options
_OTHERS = {"-r": "requirements", "--requirement": "requirements", "-c": "constraints", "--constraint": "constraints"}


@dataclass(frozen=True, slots=True)
class Requirements:
    """The lines of a requirements file and of those it includes; relative paths in them are made full."""

    lines: tuple[str, ...]
    constraints: tuple[str, ...]


def read_requirements(path: Path, leave_out: Collection[str] = ()) -> Requirements:
    """Read a file, without the lines for packages in `leave_out`. ConfigError where one of the files cannot be read."""
    unwanted = {_canonical(name) for name in leave_out}
    lines: list[str] = []
    constraints: list[str] = []
    for kind, line in _read(path, "requirements", ()):
        if name_of(line) not in unwanted:
            (lines if kind == "requirements" else constraints).append(line)
    return Requirements(tuple(lines), tuple(constraints))


def name_of(line: str) -> str | None:
    """The package that a line asks for, in the form by which indexes compare names; None where it does not say."""
    found = _EGG.search(line) or (None if line.startswith("-") else _NAMED.match(line))
    return _canonical(found[1]) if found else None


def _read(path: Path, kind: str, above: tuple[Path, ...]) -> Iterator[tuple[str, str]]:
    if path in above:
        raise ConfigError(f"the requirements file {path} includes itself")
    for number, line in _logical_lines(path):
        where = Position(str(path), number)
        option, _, rest = line.replace("=", " ", 1).partition(" ") if line.startswith("--") else line.partition(" ")
        if option[:2] in ("-r", "-c", "-e", "-f", "-i") and len(option) > 2:
            option, rest = option[:2], f"{option[2:]} {rest}".strip()  # -rfile
        rest = rest.strip()
        if option in _OTHERS and "://" not in rest:
            inner = "constraints" if kind == "constraints" else _OTHERS[option]
            yield from _read(path.parent / rest, inner, (*above, path))
        elif option in ("-e", "--editable"):
            yield kind, f"-e {_full(rest, where, is_path=True)}"
        elif option in _PLACES:
            yield kind, f"{option} {_full(rest, where, is_path=True)}"
        else:
            yield kind, _full(line, where)


def _logical_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that say something, each with the number of the one in the file where it begins."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"the requirements file {path} cannot be read: {reason}") from error
    numbered = enumerate(text.splitlines(), 1)
    for number, line in numbered:
        whole = line
        while whole.endswith("\\"):
            whole = f"{whole[:-1]} {next(numbered, (0, ''))[1]}"
        kept = whole.strip() if "#egg=" in whole else _COMMENT.sub("", whole).strip()
        if kept and not kept.startswith("#"):
            yield number, kept


def _unquoted(line: str, where: Position) -> str:
    """What stands in quotes at the beginning of `line`; `line` itself where nothing does."""
    if line[:1] not in ("'", '"'):
        return line
    try:
        return shlex.split(line)[0]
    except ValueError:
        raise ConfigError(f"the quote {line[0]} is never closed: {line}", where=where, fix="close it, or remove it") from None


def _full(line: str, where: Position, *, is_path: bool = False) -> str:
    """`line` with a local path that is relative to the file it stands in made a file URL; anything else as it is.

    `is_path` says that a bare name is no package: it counts as a path where something of that name lies beside the file.
    """
    folder = Path(where.file).parent
    text = _unquoted(line, where)
    named = _AT_FILE.fullmatch(text)
    before, text = named.groups() if named else ("", text)
    found = _PATH.fullmatch(text)
    if found is None or (not named and not _is_local(found[1], folder, is_path)):
        return line
    return before + (folder / found[1]).resolve().as_uri() + found[2]


def _is_local(path: str, folder: Path, is_path: bool) -> bool:
    if path in (".", "..") or path.startswith(("./", "../")):
        return True
    if "://" in path or path.startswith(("/", "~", "$")):
        return False
    return (is_path or "/" in path or path.endswith(_ARCHIVES)) and (folder / path).exists()


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
