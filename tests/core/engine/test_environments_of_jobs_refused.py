"""Environments in which a job cannot run: one without the card it needs, one that fails the recipe's check."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox.envs import EnvRecipe, SystemTool, environment_for, find_environment
from djsandbox.errors import ConfigError, JobFailed

PARTS = '''
from djsandbox import BaseEvaluator, EnvConfig, EnvRecipe, SystemTool


class OnGpu(BaseEvaluator):
    """Its recipe wants a graphics card."""

    env = EnvRecipe("on-gpu", managers=("uv",), system_tools=(SystemTool("gpu", "training"),))

    class Config(EnvConfig):
        pass

    def run(self, eval_type, eval_obj=None, **kwargs):
        return str(self.environment.path)


class Checked(OnGpu):
    """Its recipe has a check."""

    env = EnvRecipe("checked", check=("python", "-c", "import alpha"))
'''


@pytest.fixture(autouse=True)
def parts(lab: Any, store: Path) -> None:
    (lab.folder / "parts.py").write_text(PARTS)


def evaluate(lab: Any, kind: str, **config: Any) -> None:
    """Write a config with one job of that kind."""
    extra = {"type": f"./parts.py:{kind}", **config}
    job = {"hook": "EvaluateDataHook", "meta_name": "job", "output": "said", "extra_configs": extra}
    lab.write(json.dumps({"evaluation_job_configs": [job]}))


def test_a_job_that_needs_a_gpu_is_refused_where_there_is_none_also_when_its_environment_was_made_there(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    evaluate(lab, "OnGpu")
    recipe = EnvRecipe("on-gpu", managers=("uv",), system_tools=(SystemTool("gpu", "training"),))
    for makes in (False, True):
        if makes:
            environment_for(recipe)
        assert (find_environment(recipe) is not None) is makes
        for command in (djsandbox.validate, djsandbox.run):
            with pytest.raises(ConfigError, match="the environment 'on-gpu' needs a GPU") as caught:
                command("sandbox.yaml")
            assert [problem.severity for problem in caught.value.problems] == ["error"]


def test_an_existing_environment_that_fails_the_check_is_refused_before_the_first_job_unless_the_user_insists(lab: Any) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "mine"], check=True)
    evaluate(lab, "Checked", env_manager="existing", env_params={"path": "mine"})
    assert not djsandbox.validate("sandbox.yaml")
    with pytest.raises(ConfigError, match="mine fails the check of the recipe 'checked'") as caught:
        lab.run()
    assert not lab.work_dir.exists() and str(caught.value).startswith("sandbox.yaml:")
    with pytest.raises(JobFailed, match="mine fails the check of the recipe 'checked'") as caught:
        lab.run(resume=True)  # only the jobs that are not done need theirs
    assert "check: false" in str(caught.value) and "No module named 'alpha'" in str(caught.value)
    evaluate(lab, "Checked", env_manager="existing", env_params={"path": "mine", "check": False})
    lab.run()
    infos = json.loads((lab.work_dir / "context_infos.json").read_text())
    assert infos["anonymous"][0]["said"] == str(lab.folder / "mine")
