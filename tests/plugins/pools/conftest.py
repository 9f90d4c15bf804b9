from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

Pool = Callable[..., str]


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    """Writes rows (mappings, or lines as they are) to a file under tmp_path and returns its path."""

    def write(name: str, rows: Iterable[dict[str, Any] | str]) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def lines() -> Callable[[str], list[str]]:
    """The lines of a pool."""
    return lambda path: Path(path).read_text(encoding="utf-8").splitlines()


@pytest.fixture
def ids() -> Callable[[str], list[Any]]:
    """The "id" of each row of a pool."""
    return lambda path: [json.loads(line)["id"] for line in Path(path).read_text(encoding="utf-8").splitlines()]
