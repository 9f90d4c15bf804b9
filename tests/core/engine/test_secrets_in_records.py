"""Secrets of the config reach no record: neither what is watched nor what a job gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox.errors import JobFailed

Lab = Any

TELLS = '''
class Tells(BaseEvaluator):
    """Tells its key to whoever wants to hear it."""

    class Config(ComponentConfig):
        api_key: str
        gives: bool = False

    def run(self, eval_type, eval_obj=None, **kwargs):
        self.watcher.watch({"note": f"used {self.config.api_key}", self.config.api_key: 1})
        self.watcher.watch_table("T", ["key"], [[self.config.api_key]])
        return {"nested": [f"<{self.config.api_key}>"]} if self.config.gives else "done"


'''
SECRET = "sk-0123456789"


@pytest.fixture
def tells(lab: Lab) -> Lab:
    lab.edit_parts("class Fail(", f"{TELLS}class Fail(")
    return lab


def config(**more: Any) -> str:
    extra = {"type": "./parts.py:Tells", "api_key": SECRET, **more}
    return json.dumps({"evaluation_job_configs": [{"hook": "EvaluateDataHook", "output": "o", "extra_configs": extra}]})


def written(folder: Path) -> str:
    return "\n".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())


def test_what_is_watched_is_recorded_without_them(tells: Lab) -> None:
    tells.run(config())
    assert SECRET not in written(tells.work_dir)
    watcher = djsandbox.SandboxWatcher(tells.work_dir)
    assert watcher.query("anonymous/evaluation/0.note") == "used ***"
    assert watcher.tables()[0].rows == (("***",),)


def test_a_job_that_gives_one_fails_and_says_which_output(tells: Lab) -> None:
    with pytest.raises(JobFailed, match="its output 'o' holds a secret of the config") as caught:
        tells.run(config(gives=True))
    assert SECRET not in str(caught.value)
    assert SECRET not in written(tells.work_dir)
