"""What the tests of the VBench plugin share: a laboratory with the stand-in of VBench, and configs that use it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox import Finding, JobContext, Task
from djsandbox_vbench.evaluator import VBenchVideoEvaluator
from djsandbox_vbench.testing.__main__ import make

HERE = Path(__file__).parent


@dataclass
class Prefix:
    """An environment, as far as the tasks ask for it."""

    path: Path

    def variables(self) -> dict[str, str]:
        return {}


@dataclass
class Lab:
    """A folder with the stand-in (`env/`, `videos/`), which is the working directory."""

    folder: Path

    @property
    def videos(self) -> Path:
        return self.folder / "videos"

    def write(self, *, output: Sequence[str] = ("mean",), way: str = "", **changes: Any) -> Path:
        """Write `sandbox.yaml` with one evaluation; `way` is how the stand-in is to fail. None takes a key away."""
        variables = {"DJSANDBOX_STANDIN": way} if way else {}
        extra = {
            "type": "vbench_video_evaluator",
            "env_manager": "existing",
            "env_params": {"path": str(self.folder / "env"), "variables": variables},
            "videos_path": str(self.videos),
            "output_path": "out",
            "dimension_list": ["subject_consistency", "dynamic_degree", "scene"],
            **changes,
        }
        job = {
            "hook": "EvaluateDataHook",
            "meta_name": "vbench_eval",
            "output": list(output),
            "extra_configs": {key: value for key, value in extra.items() if value is not None},
        }
        config = self.folder / "sandbox.yaml"
        config.write_text(json.dumps({"project_name": "lab", "evaluation_job_configs": [job]}, indent=1))
        return config

    def remove(self, package: str) -> None:
        """Let the environment look as if `package` were not installed."""
        (packages,) = (self.folder / "env").glob("lib/python3*/site-packages")
        shutil.rmtree(packages / package)

    def run(self, **options: Any) -> Any:
        """Run what was written; the outputs of the job by name."""
        djsandbox.run("sandbox.yaml", **options)
        return self.outputs()

    def tasks(self, eval_type: str = "data", **config: Any) -> list[Task]:
        """The tasks of an evaluation, none of which is run."""
        asked = VBenchVideoEvaluator.Config(**{"videos_path": str(self.videos), "output_path": "out", **config})
        environment: Any = Prefix(self.folder / "env")
        return list(VBenchVideoEvaluator(asked).attach(JobContext(environment=environment)).tasks(eval_type))

    def findings(self, **config: Any) -> list[Finding]:
        """What the evaluator itself finds wrong with a config."""
        given = {"videos_path": str(self.videos), "output_path": "out", "prompt_list": "small"}
        asked = VBenchVideoEvaluator.Config(**given, dimension_list=["dynamic_degree"], **config)
        return list(VBenchVideoEvaluator(asked).check())

    def outputs(self) -> Any:
        return json.loads((self.work_dir / "context_infos.json").read_text())["anonymous"][0]

    @property
    def work_dir(self) -> Path:
        return self.folder / "outputs" / "lab"

    def events(self, event: str) -> list[str]:
        """The tasks of whom the journal tells `event`, in its order."""
        told = [json.loads(line) for line in (self.work_dir / "journal.jsonl").read_text().splitlines()]
        return [one["task"] for one in told if one["event"] == event]

    def metrics(self) -> dict[str, Any]:
        """The latest value of each metric."""
        lines = (self.work_dir / "metrics.jsonl").read_text().splitlines()
        return {one["name"]: one["value"] for one in map(json.loads, lines) if one["kind"] == "metric"}

    def logs(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in sorted((self.work_dir / "logs").rglob("*.log")))

    def merged(self, name: str = "vbench_evaluator") -> Any:
        return json.loads((self.folder / "out" / f"{name}_merged_results.json").read_text())


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VBENCH_CACHE_DIR", raising=False)
    make(tmp_path)
    return Lab(tmp_path)


@pytest.fixture
def peer() -> Path:
    """The existing sandbox's files."""
    return HERE / "peer"


@pytest.fixture
def real() -> Path:
    """What VBench itself has written."""
    return HERE / "real"
