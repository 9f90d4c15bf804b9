"""What Data-Juicer prints goes to the log of its job as anything else does: without secrets."""

from __future__ import annotations

import json
from pathlib import Path

import djsandbox
import pytest

pytestmark = pytest.mark.usefixtures("data_juicer")

_TELLS = '''
import os, sys
from data_juicer.ops.base_op import OPERATORS, Mapper
from loguru import logger


@OPERATORS.register_module("{name}")
class Tells(Mapper):
    """Tells what it was trusted with."""

    def process_single(self, sample):
        print("printed", os.environ["HF_TOKEN"], flush=True)
        logger.info("logged " + os.environ["HF_TOKEN"])
        os.write(2, b"written " + os.environ["HF_TOKEN"].encode() + b"\\n")
        return sample
'''


@pytest.mark.parametrize("processes", [1, 2])
def test_secrets_are_hidden_in_what_operators_print(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_TOKEN", "hf_not-to-be-seen")
    name = f"telling_{processes}_mapper"  # a process takes a module of one name from one place only
    Path(f"{name}.py").write_text(_TELLS.format(name=name))
    Path("in.jsonl").write_text("".join(json.dumps({"text": f"text {number}"}) + "\n" for number in range(4)))
    recipe = {
        "dataset_path": "in.jsonl",
        "export_path": "out.jsonl",
        "np": processes,
        "custom_operator_paths": [f"{name}.py"],
        "process": [{name: None}],
    }
    job = {"hook": "ProcessDataHook", "dj_configs": recipe}
    Path("sandbox.yaml").write_text(json.dumps({"work_dir": "work", "execution_job_configs": [job]}))
    djsandbox.run("sandbox.yaml")
    logs = "\n".join(path.read_text() for path in Path("work").rglob("*.log"))
    assert "hf_not-to-be-seen" not in logs
    for how in ("printed", "logged", "written"):
        assert f"{how} ***" in logs
