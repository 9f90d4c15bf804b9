"""Problems, tables and JSON on the terminal."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click

from djsandbox.errors import Problem, SandboxError

_SHORTEST_COLUMN = 20


def show_error(error: SandboxError) -> None:
    """Print all problems of `error` to stderr."""
    show_problems(error.problems)
    errors = sum(problem.severity == "error" for problem in error.problems)
    if errors > 1:
        click.secho(counted(errors, "error"), fg="red", bold=True, err=True)


def show_problems(problems: Iterable[Problem]) -> None:
    """Print problems to stderr: where, what, and how to mend it."""
    for problem in problems:
        color = "red" if problem.severity == "error" else "yellow"
        place = f"{problem.where}: " if problem.where else ""
        click.echo(f"{place}{click.style(problem.severity + ':', fg=color, bold=True)} {problem.message}", err=True)
        if problem.fix:
            click.echo(f"    {problem.fix}", err=True)


def problem_data(problem: Problem) -> dict[str, Any]:
    """A problem as data for `--json`."""
    where = problem.where
    return {
        "severity": problem.severity,
        "message": problem.message,
        "file": where.file if where else None,
        "line": (where.line or None) if where else None,
        "fix": problem.fix,
    }


def counted(number: int, thing: str) -> str:
    """`1 job`, `2 jobs`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def show_invalid(error: SandboxError) -> int:
    """Print the problems of a config as JSON; returns the exit code."""
    show_json({"valid": False, "problems": [problem_data(problem) for problem in error.problems]})
    return error.exit_code


def show_json(data: Any) -> None:
    """Print `data` as JSON to stdout."""
    click.echo(json.dumps(data, ensure_ascii=False, indent=2, default=str))


def show_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, title: str = "", notes: Sequence[str] = ()) -> None:
    """Print a table to stdout, columns aligned also where texts are Chinese; numbers to the right."""
    cells = [[_text(value) for value in row] for row in rows]
    widths = [max([_width(name), *(_width(row[at]) for row in cells)]) for at, name in enumerate(columns)]
    room = shutil.get_terminal_size().columns - sum(widths[:-1]) - 2 * (len(widths) - 1)
    if sys.stdout.isatty() and _SHORTEST_COLUMN <= room < widths[-1]:
        widths[-1] = room
        cells = [[*row[:-1], _cut(row[-1], room)] for row in cells]
    is_number = [bool(rows) and all(isinstance(row[at], (int, float)) for row in rows) for at in range(len(columns))]
    if title:
        click.secho(f"\n{title}", bold=True)
    click.secho(_line(columns, widths, is_number), bold=True)
    click.echo("  ".join("-" * width for width in widths))
    for row in cells:
        click.echo(_line(row, widths, is_number))
    for note in notes:
        click.echo(note)


def _line(cells: Sequence[str], widths: Sequence[int], is_number: Sequence[bool]) -> str:
    padded = []
    for text, width, right in zip(cells, widths, is_number, strict=True):
        space = " " * (width - _width(text))
        padded.append(space + text if right else text + space)
    return "  ".join(padded).rstrip()


def _text(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: ""}[value]
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _cut(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    while _width(text) > width - 1:
        text = text[:-1]
    return text + "…"


def _width(text: str) -> int:
    from rich.cells import cell_len  # noqa: PLC0415 - only tables need it

    return cell_len(text)
