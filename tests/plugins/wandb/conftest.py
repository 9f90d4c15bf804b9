"""A stand-in for W&B's server: as much of it as the real library needs to write a run, sync one, and be a sweep's agent."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

KEY = "0123456789abcdef" * 3

LAB = '''
from djsandbox import BaseProbe, ComponentConfig


class Measure(BaseProbe):
    """Says how a loss falls, and fails where x is above 100."""

    class Config(ComponentConfig):
        x: float = 2.0
        api_key: str = ""

    def run(self):
        for step in range(1, 4):
            self.watcher.watch({"loss": self.config.x / step}, step=step)
        self.watcher.watch({"label": "good", "key": f"Bearer {self.config.api_key}"})
        self.watcher.watch_table("Pools: best/first", ["pool", "score"], [["a", 1], ["b", None]], ["two of them"])
        if self.config.x > 100:
            raise ValueError("far too large")
        return self.config.x ** 2
'''


class Server(ThreadingHTTPServer):
    """Records what is written to it; `runs` by id, `sweeps` by id; `trials` are what agents are given, in order."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.runs: dict[str, dict[str, Any]] = {}
        self.sweeps: dict[str, str] = {}
        self.trials: list[Mapping[str, Any]] = []
        self.given: list[str] = []
        self.agents = 0
        self.refuses = False
        self.hangs = threading.Event()
        self.is_over = threading.Event()
        self.guard = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def run_of(self, run_id: str) -> dict[str, Any]:
        return self.runs.setdefault(run_id, {"history": {}, "summary": {}, "config": {}, "files": {}, "exit_code": None})

    def named(self, name: str) -> dict[str, Any]:
        """The only run of that display name, with its history as rows and its config as plain values."""
        (found,) = [run for run in self.runs.values() if run.get("displayName") == name]
        rows = [json.loads(found["history"][at]) for at in sorted(found["history"])]
        config = {key: item["value"] for key, item in found["config"].items()}
        return {**found, "rows": rows, "config": config}

    def answer(self, query: str, given: Mapping[str, Any]) -> Any:
        with self.guard:
            if "upsertBucket" in query:
                return {"upsertBucket": self._upsert_run(given)}
            if "upsertSweep" in query:
                self.sweeps["sw1"] = given["config"]
                return {
                    "upsertSweep": {"sweep": {"name": "sw1", **_project(given["projectName"])}, "configValidationWarnings": []}
                }
            if "createAgent" in query:
                self.agents += 1
                return {"createAgent": {"agent": {"id": f"agent{self.agents}"}}}
            if "agentHeartbeat" in query:
                return {"agentHeartbeat": {"agent": {"id": given["id"]}, "commands": json.dumps(self._commands(given))}}
            if "createArtifact" in query:
                artifact = {"id": "a1", "state": "COMMITTED", "artifactSequence": {"latestArtifact": None}}
                return {"createArtifact": {"artifact": artifact}}
            if "ArtifactType" in query:
                return {"project": {"artifact": None}}
            if "createRunFiles" in query:
                url = f"{self.url}/upload/{given['run']}"
                files = [{"name": name, "uploadUrl": f"{url}/{name}"} for name in given["files"]]
                return {"createRunFiles": {"runID": given["run"], "uploadHeaders": [], "files": files}}
            if "serverInfo" in query and "viewer" not in query:
                return {"serverInfo": {"features": []}}
            viewer = {
                "id": "u1",
                "entity": "me",
                "username": "me",
                "flags": "{}",
                "teams": {"edges": []},
                "apiKeys": {"edges": []},
            }
            return {"viewer": viewer, "serverInfo": {"cliVersionInfo": {"max_cli_version": "0.99.0"}, "features": []}}

    def _upsert_run(self, given: Mapping[str, Any]) -> dict[str, Any]:
        run = self.run_of(given["name"])
        run.update(
            {key: value for key, value in given.items() if value is not None and key not in ("config", "summaryMetrics")}
        )
        run["config"].update(json.loads(given.get("config") or "{}"))
        bucket = {"id": given["name"], "name": given["name"], "displayName": run.get("displayName"), "description": None}
        more = {"config": None, "sweepName": run.get("sweep"), "historyLineCount": 0}
        return {"bucket": {**bucket, **more, **_project(run.get("project") or "uncategorized")}, "inserted": True}

    def _commands(self, given: Mapping[str, Any]) -> list[dict[str, Any]]:
        running = json.loads(given["runState"])
        if running:
            return []
        if not self.trials:
            return [{"type": "exit"}]
        run_id = f"run{len(self.given) + 1}"
        self.given.append(run_id)
        values = {name: {"value": value} for name, value in self.trials.pop(0).items()}
        return [{"type": "run", "run_id": run_id, "program": None, "args": values}]

    def stream(self, run_id: str, told: Mapping[str, Any]) -> None:
        with self.guard:
            run = self.run_of(run_id)
            for name, part in told.get("files", {}).items():
                if name == "wandb-history.jsonl":
                    run["history"].update(enumerate(part["content"], part["offset"]))
                elif name == "wandb-summary.json":
                    run["summary"] = json.loads(part["content"][-1])
            if told.get("complete"):
                run["exit_code"] = told.get("exitcode")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._send({})

    def do_POST(self) -> None:
        told = json.loads(self._body() or b"{}")
        if self.server.refuses:
            self._send({"errors": [{"message": "user is not logged in"}]}, 401)
        elif self.path == "/graphql":
            self._send({"data": self.server.answer(told["query"], told.get("variables") or {})})
        else:
            if self.server.hangs.is_set():
                self.server.is_over.wait()
            self.server.stream(self.path.split("/")[-2], told)
            self._send({})

    def do_PUT(self) -> None:
        _, _, run_id, name = self.path.split("/", 3)
        self.server.run_of(run_id)["files"][name] = self._body()
        self._send({})

    def _body(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

    def _send(self, content: Any, status: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _project(name: str) -> dict[str, Any]:
    return {"project": {"id": "p1", "name": name, "entity": {"id": "e1", "name": "me"}}}


@pytest.fixture
def server() -> Iterator[Server]:
    """The stand-in, on loopback."""
    found = Server()
    threading.Thread(target=found.serve_forever, args=(0.05,), daemon=True).start()
    yield found
    found.is_over.set()
    found.shutdown()
    found.server_close()


@pytest.fixture(autouse=True)
def nobody_is_logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, no settings of whoever runs the tests; and a server that is not there."""
    import os

    for name in [name for name in os.environ if name.startswith("WANDB_") or name in ("NETRC", "DJSANDBOX_TRACKERS")]:
        monkeypatch.delenv(name)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")


@pytest.fixture
def logged_in(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The stand-in, and a key for it."""
    monkeypatch.setenv("WANDB_BASE_URL", server.url)
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB__FILE_STREAM_TRANSMIT_INTERVAL", "1")  # seconds, instead of 15
    return server


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes a config with one job, beside its component, with these further lines; it is also the current directory."""
    folder = tmp_path / "lab"
    folder.mkdir()
    (folder / "measure.py").write_text(LAB)
    monkeypatch.chdir(folder)

    def write(*lines: str, extra: str = "x: 2.0") -> Path:
        block = f"{{type: './measure.py:Measure', {extra}}}"
        job = f"{{hook: GeneralProbeHook, meta_name: measure, output: [square], extra_configs: {block}}}"
        head = ["project_name: lab/one", "experiment_name: first", "work_dir: out", *lines]
        file = folder / "sandbox.yaml"
        file.write_text("\n".join([*head, "pipelines:", "  demo:", "    probe_job_configs:", f"      - {job}"]) + "\n")
        return file

    return write


@pytest.fixture
def brisk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """W&B's agent, which is the real one, asks again after a moment instead of 5 seconds."""
    lines = [
        "import sys, time",
        "if any(part.endswith('agent.py') for part in sys.orig_argv):",
        "    sleep = time.sleep",
        "    time.sleep = lambda seconds: sleep(min(seconds, 0.1))",
    ]
    (tmp_path / "brisk").mkdir()
    (tmp_path / "brisk" / "sitecustomize.py").write_text("\n".join(lines))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "brisk"))


@pytest.fixture
def sync(logged_in: Server) -> Callable[[Sequence[Path]], None]:
    """Uploads offline runs to the stand-in with W&B's own program: who reads what was written is W&B."""

    def upload(paths: Sequence[Path]) -> None:
        program = Path(sys.executable).with_name("wandb")
        subprocess.run([str(program), "sync", *map(str, paths)], check=True, capture_output=True, text=True, timeout=120)

    return upload
