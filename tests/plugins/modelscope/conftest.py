"""What the tests of the ModelScope plugin share: models, real and only looked at, a sandbox config, and a hub on loopback."""

from __future__ import annotations

import http.server
import json
import runpy
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from djsandbox import ConfigError, run, validate

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "configs" / "modelscope_tiny"


MAKE = """
import json, runpy, sys
from pathlib import Path
from transformers import BertTokenizer, GPT2Config, GPT2LMHeadModel
example, bert, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
sys.argv[1:] = [bert]
runpy.run_path(example, run_name="__main__")
folder.mkdir(parents=True)
words = "[PAD] [UNK] [CLS] [SEP] [MASK] the film was good bad".split()
(folder / "vocab.txt").write_text("".join(f"{word}\\n" for word in words))
BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
sizes = {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 32}
GPT2LMHeadModel(GPT2Config(vocab_size=len(words), **sizes)).save_pretrained(folder, safe_serialization=False)
hooks = [{"type": "EvaluationHook", "interval": 1}]
(folder / "configuration.json").write_text(json.dumps({
    "framework": "pytorch", "task": "text-generation", "model": {"type": "gpt2"}, "pipeline": {"type": "text-generation"},
    "preprocessor": {"type": "text-gen-tokenizer", "sequence_length": 8}, "train": {"hooks": hooks},
}))
from modelscope.utils.import_utils import LazyImportModule as lazy
print(json.dumps(sorted({key[2] for key in lazy.get_ast_index()["index"] if key[0] == "TRAINERS"})))
"""


@dataclass(frozen=True)
class Made:
    """Tiny models with random weights, and the trainers that ModelScope has."""

    bert: Path
    """By the example's own script."""
    gpt2: Path
    """It brings a hook that evaluates."""
    trainers: frozenset[str]


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """More of them only wait for each other where a model is this small."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def made(torch_env: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Made in one process: loading torch takes most of the time."""
    folder = tmp_path_factory.mktemp("tiny")
    bert, gpt2 = folder / "model", folder / "gpt2"
    argv = [torch_env / "bin" / "python", "-c", MAKE, EXAMPLE / "make_model.py", bert, gpt2]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    return Made(bert, gpt2, frozenset(json.loads(done.stdout.splitlines()[-1])))


@pytest.fixture(scope="session")
def tiny_bert(made: Made) -> Path:
    """A BERT of two layers."""
    return made.bert


def configuration(**changes: Any) -> dict[str, Any]:
    """The configuration.json of the example's model, with top-level changes; `...` leaves a key out."""
    script = runpy.run_path(str(EXAMPLE / "make_model.py"))
    tree = {**json.loads(json.dumps(script["CONFIGURATION"])), **changes}
    return {key: value for key, value in tree.items() if value is not ...}


def write_model(folder: Path, **changes: Any) -> Path:
    """A folder that looks like a model, as far as one looks without ModelScope."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "configuration.json").write_text(json.dumps(configuration(**changes)), encoding="utf-8")
    (folder / "pytorch_model.bin").write_bytes(b"weights")
    return folder


def write_rows(path: Path, *rows: Mapping[str, Any]) -> Path:
    """JSON lines."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def reviews(count: int) -> list[dict[str, str]]:
    """Rows that a classifier can learn from."""
    kinds = (("bad", "negative"), ("good", "positive"))
    return [{"text": f"the film was {kinds[n % 2][0]}", "label": kinds[n % 2][1]} for n in range(count)]


def outputs_of(work_dir: Path) -> list[dict[str, Any]]:
    """What the jobs of the last run have given."""
    infos = json.loads((work_dir / "context_infos.json").read_text(encoding="utf-8"))
    jobs: list[dict[str, Any]] = infos.get("anonymous", [])
    return jobs


@dataclass
class Sandbox:
    """A folder with a sandbox config of a single training."""

    folder: Path
    block: dict[str, Any]
    more_jobs: dict[str, Any] = field(default_factory=dict)

    @property
    def work_dir(self) -> Path:
        """Where the training writes."""
        return self.folder / "training"

    def write(self, **changes: Any) -> Path:
        """Write the config, with other keys of the training; `...` leaves one out."""
        block = {key: value for key, value in {**self.block, **changes}.items() if value is not ...}
        job = {"hook": "TrainModelHook", "meta_name": "train", "output": ["model", "training"], "extra_configs": block}
        config = {"project_name": "t", "work_dir": "work", "execution_job_configs": [job], **self.more_jobs}
        path = self.folder / "sandbox.yaml"
        path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        return path

    def problems(self, **changes: Any) -> list[tuple[str, str]]:
        """Severity and message of what `validate` finds."""
        try:
            found = validate(self.write(**changes))
        except ConfigError as error:
            found = tuple(error.problems)
        return [(problem.severity, problem.message) for problem in found]

    def run(self, *, resume: bool = False, **changes: Any) -> Any:
        """Run it; the result."""
        return run(self.write(**changes), resume=resume)

    def outputs(self) -> dict[str, Any]:
        """The outputs of the training, by name; none where it has failed."""
        jobs = outputs_of(self.folder / "work")
        return jobs[0] if jobs else {}

    def metrics(self, name: str) -> list[tuple[int, float]]:
        """Steps and values of a metric, in their order."""
        lines = (self.folder / "work" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        events = [json.loads(line) for line in lines]
        return [(event["step"], event["value"]) for event in events if event.get("name") == name]

    def log(self) -> str:
        """The logs of all tasks."""
        logs = sorted((self.folder / "work" / "logs").rglob("[0-9]*.log"))
        return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in logs)


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A training of a model that is only looked at, on four rows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "cache"))
    write_rows(tmp_path / "rows.jsonl", *reviews(4))
    write_model(tmp_path / "model")
    block = {
        "type": "modelscope",
        "train_dataset": "./rows.jsonl",
        "work_dir": "./training",
        "model_name": "./model",
        "trainer_name": "nlp-base-trainer",
        "train": {"max_epochs": 1},
    }
    return Sandbox(tmp_path, block)


@dataclass
class LoopbackHub:
    """A hub that is asked and has nothing to give: it answers 503 to everything, and keeps what it was asked."""

    address: str
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """ModelScope's hub for all that is started in the test."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            found.asked.append(f"{self.command} {self.path}")
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_HEAD = do_POST = answer

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = LoopbackHub(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", found.address)
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def real(sandbox: Sandbox, torch_env: Path, tiny_bert: Path) -> Sandbox:
    """A training that runs: of the tiny BERT, in the environment with torch."""
    existing = {"env_manager": "existing", "env_params": {"path": str(torch_env), "check": False}}
    sandbox.block |= {"model_name": str(tiny_bert), **existing}
    return sandbox
