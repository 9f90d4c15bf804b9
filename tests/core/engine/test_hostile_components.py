"""Components that misbehave: the user sees a message that names them, never our traceback."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox.cli.main import call
from djsandbox.errors import ConfigError, JobFailed

Lab = Any


def config(name: str, **extra: Any) -> str:
    block = json.dumps({"type": f"./hostile.py:{name}", **extra})
    return f"evaluation_job_configs:\n  - {{hook: EvaluateDataHook, meta_name: m, extra_configs: {block}}}\n"


@pytest.fixture
def hostile(lab: Lab) -> Lab:
    methods = {
        "Init": "def __init__(self, config):\n        raise ValueError('bad')",
        "Check": "def check(self):\n        raise ValueError('bad')",
        "Planned": "def planned_outputs(self):\n        raise ValueError('bad')",
        "Paths": "def output_paths(self):\n        raise SystemExit(3)",
        "Key": "def key_fields(self):\n        raise ValueError('bad')",
        "Files": "def referenced_files(self):\n        raise ValueError('bad')",
        "Run": "def run(self, eval_type, eval_obj=None, **kwargs):\n        raise SystemExit(3)",
        "Prints": (
            "def run(self, eval_type, eval_obj=None, **kwargs):\n        import os, subprocess\n"
            "        os.write(1, b'RAW')\n        subprocess.run(['echo', 'CHILD'], check=True)\n        return 1"
        ),
        "Leaks": (
            "def run(self, eval_type, eval_obj=None, **kwargs):\n        raise ValueError('no such ' + self.config.api_key)"
        ),
    }
    base = (
        "from djsandbox import BaseEvaluator, ComponentConfig\n\n\n"
        "class Base(BaseEvaluator):\n    class Config(ComponentConfig):\n        api_key: str = ''\n        number: int = 0\n\n"
        "    def run(self, eval_type, eval_obj=None, **kwargs):\n        return 1\n\n\n"
    )
    classes = "".join(f"class {name}(Base):\n    {method}\n\n\n" for name, method in methods.items())
    (lab.folder / "hostile.py").write_text(base + classes)
    return lab


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("Init", "__init__"),
        ("Check", "check"),
        ("Planned", "planned_outputs"),
        ("Paths", "output_paths"),
        ("Key", "key_fields"),
    ],
)
def test_what_fails_while_planning_is_a_config_error_that_names_the_component(hostile: Lab, name: str, method: str) -> None:
    hostile.write(config(name))
    with pytest.raises(ConfigError, match=rf"the component \./hostile\.py:{name} failed in {method}\(\)") as caught:
        djsandbox.validate("sandbox.yaml")
    assert re.search(r"it was raised in .*hostile\.py, line \d+", str(caught.value))


@pytest.mark.parametrize("name", ["Files", "Run"])
def test_what_fails_in_a_job_is_that_jobs_failure(hostile: Lab, name: str) -> None:
    with pytest.raises(JobFailed, match=r"job anonymous/evaluation/0 failed: (ValueError: bad|SystemExit: 3)") as caught:
        hostile.run(config(name))
    assert "Traceback" in Path(str(caught.value.log)).read_text()
    assert [event["event"] for event in hostile.journal()][-2:] == ["job_failed", "run_finished"]


def test_a_job_that_cannot_be_prepared_does_not_hide_the_rest_of_the_plan(hostile: Lab) -> None:
    hostile.write(config("Files"))
    (job,) = djsandbox.plan("sandbox.yaml").jobs
    assert (job.action, job.reason) == ("run", "it cannot be prepared: ValueError: bad")


def test_children_and_c_code_print_to_the_log_so_that_json_stays_json(hostile: Lab) -> None:
    hostile.write(config("Prints"))
    program = [sys.executable, "-m", "djsandbox", "run", "sandbox.yaml", "--json"]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["executed"] == ["anonymous/evaluation/0"]
    assert "RAW" not in done.stderr
    log = (hostile.work_dir / "logs/anonymous/evaluation/0/run_0001.log").read_text()
    assert "RAW" in log
    assert "CHILD" in log


def test_a_secret_that_a_component_gives_away_is_nowhere(hostile: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    hostile.write(config("Leaks", api_key="sk-very-secret"))
    assert call(["run", "sandbox.yaml"]) == 1
    printed = capsys.readouterr()
    assert "no such ***" in printed.err
    written = [path.read_text(errors="replace") for path in hostile.work_dir.rglob("*") if path.is_file()]
    assert not any("sk-very-secret" in text for text in [*written, printed.out, printed.err])


def test_a_secret_on_the_command_line_is_not_repeated(hostile: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    hostile.write(config("Leaks"))
    assert call(["run", "sandbox.yaml", "--set", "m.extra_configs.api_key=12345678"]) == 2
    assert call(["run", "sandbox.yaml", "--set", "n.extra_configs.api_key=12345678"]) == 2
    printed = capsys.readouterr().err
    assert "--set m.extra_configs.api_key" in printed
    assert "12345678" not in printed


def test_an_invalid_config_is_json_too_when_json_was_asked_for(hostile: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    hostile.write(config("Base", numbr=1))
    for command in ("run", "validate", "plan"):
        assert call([command, "sandbox.yaml", "--json"]) == 2
        assert json.loads(capsys.readouterr().out)["problems"][0]["fix"] == "did you mean 'number'?"
