"""configs/iterate as its reader runs it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_sample_is_doubled_until_the_accuracy_passes_the_target(tmp_path: Path) -> None:
    for name in ("quickstart", "iterate"):
        shutil.copytree(ROOT / "configs" / name, tmp_path / "configs" / name)
    program = [sys.executable, "-m", "djsandbox", "run", "configs/iterate/sandbox.yaml", "--json"]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["targets_met"]
    assert result["iterations"] > 1
    sizes = [table["rows"][0][0] for table in result["tables"]]
    assert sizes == [500 * 2**at for at in range(result["iterations"])]
    assert result["context_infos"]["grow"][-1]["accuracy"] >= 0.65
    assert result["executed"].count("corpus/execution/0") == 1
