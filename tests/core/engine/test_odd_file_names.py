"""Outputs whose file names are not UTF-8 are outputs like any other."""

import json
import os
import subprocess
import sys
from typing import Any

import djsandbox

Lab = Any

ODD = """

class Odd(BaseEvaluator):
    deterministic = True

    def run(self, eval_type, eval_obj=None, **kwargs):
        import os

        note("odd")
        path = os.fsdecode(os.fsencode(self.work_dir) + b"/a\\xff.txt")
        Path(path).write_text("odd")
        return path


class Read(BaseEvaluator):
    class Config(ComponentConfig):
        dataset_path: InputPath

    def run(self, eval_type, eval_obj=None, **kwargs):
        return Path(self.config.dataset_path).read_text()
"""

JOBS = """
    evaluation_job_configs:
      - {hook: EvaluateDataHook, meta_name: odd, output: path, extra_configs: {type: "./parts.py:Odd"}}
      - hook: EvaluateDataHook
        input: {extra_configs.dataset_path: -1.path}
        output: text
        extra_configs: {type: "./parts.py:Read", dataset_path: <path>}
"""


def with_odd_names(lab: Lab) -> Lab:
    parts = lab.folder / "parts.py"
    parts.write_text(parts.read_text() + ODD)
    lab.write(JOBS)
    return lab


def test_they_are_handed_on_kept_and_taken_over_by_a_resumed_run(lab: Lab) -> None:
    result = with_odd_names(lab).run()
    odd, read = result.context["anonymous"]
    assert os.fsencode(odd["path"]).endswith(b"a\xff.txt")
    assert read["text"] == "odd"
    assert lab.context_infos()["anonymous"][0]["path"] == odd["path"]
    assert djsandbox.run("sandbox.yaml", resume=True).executed == ()
    assert lab.calls() == ["odd"]


def test_commands_print_them_escaped(lab: Lab) -> None:
    with_odd_names(lab)
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}

    def printed(*arguments: str) -> str:
        command = [sys.executable, "-m", "djsandbox", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout

    printed("run", "sandbox.yaml")
    assert "a\\udcff.txt" in printed("context", "sandbox.yaml")
    shown = json.loads(printed("context", "sandbox.yaml", "--json"))
    assert "a\udcff.txt" in json.dumps(shown, ensure_ascii=False)
