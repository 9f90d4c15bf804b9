from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from djsandbox.watch.bound import BoundWatcher
from djsandbox.watch.watcher import SandboxWatcher


@pytest.fixture
def start_python() -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts code in a fresh interpreter and waits for its first line; whatever is left of it is killed at the end."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str) -> subprocess.Popen[str]:
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def job() -> Callable[..., BoundWatcher]:
    """The watcher of the job `p/probe/<name>`, whose meta_name is `name`, in its only attempt of `run`."""

    def bound(watcher: SandboxWatcher, name: str = "analysis", *, run: str = "r1", iteration: int = 1) -> BoundWatcher:
        return watcher.bind(f"p/probe/{name}", name, f"{run}/{iteration}/{name}", run, iteration)

    return bound


@pytest.fixture
def lines() -> Callable[[Path], list[dict[str, Any]]]:
    """What the record in a work_dir holds."""

    def read(work_dir: Path) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (work_dir / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]

    return read
