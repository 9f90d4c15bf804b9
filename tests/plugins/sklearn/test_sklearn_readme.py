"""The examples of the plugin's page are as they would have to be written."""

from __future__ import annotations

import re
from pathlib import Path

import djsandbox
import pytest

README = Path(__file__).resolve().parents[3] / "plugins" / "sklearn" / "README.md"


def test_the_examples_of_the_readme_are_valid_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("djsandbox_datajuicer", reason="Data-Juicer takes the samples of one of them")
    monkeypatch.chdir(tmp_path)
    for name in ("pools/low.jsonl", "pools/high.jsonl", "pool.jsonl", "test.jsonl"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text('{"text": "a", "label": "b"}\n')
    examples = re.findall(r"^```yaml\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(examples) == 3
    (tmp_path / "sandbox.yaml").write_text("execution_job_configs:\n" + "".join(examples), encoding="utf-8")
    assert djsandbox.validate("sandbox.yaml") == ()
