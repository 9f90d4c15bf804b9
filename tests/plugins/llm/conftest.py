"""What the tests of the LLM plugin share: a folder with data pools, and configs whose one job asks a model about them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox_llm.testing import LoopbackServer

KEY = "sk-loopback-4711-secret"


@dataclass
class Lab:
    """A folder, which is the working directory."""

    folder: Path

    def pool(self, name: str, rows: Sequence[Any]) -> str:
        """Write a data pool; rows that are no mappings become the query of one."""
        made = [row if isinstance(row, dict) else {"query": row} for row in rows]
        (self.folder / name).write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in made), encoding="utf-8")
        return f"./{name}"

    def write(self, *, type: str = "api", reuse: bool = True, **extra: Any) -> Path:
        """Write `sandbox.yaml` with one job of inference; None takes a key away."""
        given = {"type": type, "export_path": "./out", "dataset_path": "./pool.jsonl", **extra}
        if type == "api":
            given = {"model": "loopback", "retry_wait": 0.01, **given}
        job = {
            "hook": "InferModelHook",
            "meta_name": "ask",
            "output": "results",
            "reuse": reuse,
            "extra_configs": {key: value for key, value in given.items() if value is not None},
        }
        path = self.folder / "sandbox.yaml"
        path.write_text(json.dumps({"project_name": "lab", "execution_job_configs": [job]}, indent=1))
        return path

    def run(self, **options: Any) -> list[list[dict[str, Any]]]:
        """Run what was written; the rows of each file of results."""
        djsandbox.run("sandbox.yaml", **options)
        context = json.loads((self.work_dir / "context_infos.json").read_text())
        return [self.rows(path) for path in context["anonymous"][0]["results"]]

    def rows(self, path: str | Path) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / path).read_text(encoding="utf-8").splitlines()]

    def answers(self, **options: Any) -> list[Any]:
        """Run what was written; the answers in the only file of results."""
        (rows,) = self.run(**options)
        return [row["response"] for row in rows]

    @property
    def work_dir(self) -> Path:
        return self.folder / "outputs" / "lab"

    def kept(self) -> list[Any]:
        """The answers that an attempt has left to a later one."""
        found = list((self.work_dir / "cache" / "llm").glob("*.jsonl"))
        return [json.loads(line) for path in found for line in path.read_text().splitlines()]

    def metrics(self) -> dict[str, Any]:
        lines = (self.work_dir / "metrics.jsonl").read_text().splitlines()
        return {one["name"]: one["value"] for one in map(json.loads, lines) if one["kind"] == "metric"}

    def everything_written(self) -> str:
        """All that the run has left, in one text."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return "\n".join(path.read_text(errors="replace") for path in files)


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_API_KEY", "DASHSCOPE_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_URL", "DASHSCOPE_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return Lab(tmp_path)


def queries(server: LoopbackServer) -> list[str]:
    """What was asked, in the order in which it came."""
    return [body["messages"][-1]["content"] for body in server.bodies]


Serve = Callable[..., LoopbackServer]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Start a server, to which OPENAI_BASE_URL and OPENAI_API_KEY lead."""
    running: list[LoopbackServer] = []

    def start(**options: Any) -> LoopbackServer:
        server = LoopbackServer(**options).__enter__()
        running.append(server)
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        return server

    yield start
    for server in running:
        server.__exit__(None, None, None)
