"""Secrets of the config and of our environment reach no record: neither what is watched nor what a job gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox.errors import JobFailed

Lab = Any

TELLS = '''
import os


class Tells(BaseEvaluator):
    """Tells its key to whoever wants to hear it."""

    class Config(ComponentConfig):
        api_key: str = ""
        gives: str = "nothing"

    def run(self, eval_type, eval_obj=None, **kwargs):
        key = self.config.api_key or os.environ["LAB_TOKEN"]
        self.watcher.watch({"note": f"used {key}", key: 1})
        self.watcher.watch_table("T", ["key"], [[key]])
        if self.config.gives == "a path":
            path = self.work_dir / key
            path.touch()
            return str(path)
        return {"nested": [f"<{key}>"]} if self.config.gives == "it" else "done"


'''
SECRET = "sk-0123456789"


@pytest.fixture
def tells(lab: Lab) -> Lab:
    lab.edit_parts("class Fail(", f"{TELLS}class Fail(")
    return lab


def config(**extra_configs: Any) -> str:
    extra = {"type": "./parts.py:Tells", **extra_configs}
    return json.dumps({"evaluation_job_configs": [{"hook": "EvaluateDataHook", "output": "o", "extra_configs": extra}]})


def written(folder: Path) -> str:
    return "\n".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())


def test_what_is_watched_is_recorded_without_those_of_the_config(tells: Lab) -> None:
    tells.run(config(api_key=SECRET))
    assert_hidden(tells)


def test_what_is_watched_is_recorded_without_those_of_the_environment(tells: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_TOKEN", SECRET)
    tells.run(config())
    assert_hidden(tells)


def assert_hidden(lab: Lab) -> None:
    assert SECRET not in written(lab.work_dir)
    watcher = djsandbox.SandboxWatcher(lab.work_dir)
    assert watcher.query("anonymous/evaluation/0.note") == "used ***"
    assert watcher.tables()[0].rows == (("***",),)


def test_a_job_that_gives_one_of_the_config_fails_and_says_which_output(tells: Lab) -> None:
    with pytest.raises(JobFailed, match="its output 'o' holds a secret of the config") as caught:
        tells.run(config(api_key=SECRET, gives="it"))
    assert SECRET not in str(caught.value)
    assert SECRET not in written(tells.work_dir)


def test_a_job_that_gives_one_of_the_environment_fails_and_names_the_variable(
    tells: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_TOKEN", SECRET)
    with pytest.raises(JobFailed, match="its output 'o' holds the value of the environment variable LAB_TOKEN") as caught:
        tells.run(config(gives="it"))
    assert SECRET not in str(caught.value)
    assert SECRET not in written(tells.work_dir)


def test_the_path_of_a_file_is_no_secret_though_a_variable_with_the_name_of_one_is_a_part_of_it(
    tells: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_TOKEN", "postgres")
    assert "/postgres" in json.dumps(tells.run(config(gives="a path")).context)
