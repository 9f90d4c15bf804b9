"""The existing sandbox's own config: byte for byte, with the two datasets that it leaves to the user."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import djsandbox
import pytest

Studio = Any

PEER = Path(__file__).parent / "peer" / "inception_eval_config.yaml"
SANDBOX = """
project_name: studio
evaluation_job_configs:
  - hook: 'EvaluateDataHook'
    meta_name: 'inception'
    dj_configs:
    extra_configs: './inception_eval_config.yaml'
"""


def lay_out(studio: Studio) -> None:
    text = PEER.read_text(encoding="utf-8")
    for name, path in (("generated", "fake.jsonl"), ("groundtruth", "real.jsonl")):
        text = text.replace(f"/path/to/the/{name}/dj_format_dataset", str(studio.folder / path))
    (studio.folder / "inception_eval_config.yaml").write_text(text, encoding="utf-8")
    (studio.folder / "sandbox.yaml").write_text(SANDBOX)


def test_it_is_the_one_of_the_existing_sandbox() -> None:
    assert hashlib.sha256(PEER.read_bytes()).hexdigest() == "54102482f52639af5bfc823300d21a31e94acd8ed6110d810480f07f8ae31a10"


def test_it_is_valid(studio: Studio, colours_of: Any) -> None:
    for name in ("fake", "real"):
        studio.dataset(name, colours_of(1, 1, 16))
    lay_out(studio)
    (warning,) = djsandbox.validate("sandbox.yaml")
    assert "will download it" in warning.message


@pytest.mark.slow
def test_it_runs_and_writes_the_line_that_it_wrote_there(studio: Studio, colours_of: Any, detectors: Path) -> None:
    studio.dataset("fake", colours_of(1, 2, 18, brightness=150))
    studio.dataset("real", colours_of(2, 3, 18))
    lay_out(studio)
    place = "inception.extra_configs"
    settings = [f"{place}.env_manager=existing", f"{place}.env_params={{path: {os.environ['DJSANDBOX_TORCH_ENV']}}}"]
    shutil.copytree(detectors, studio.folder / "own")
    settings.append(f"{place}.detector_path=./own/i3d_torchscript.pt")
    djsandbox.run("sandbox.yaml", settings=settings)
    (line,) = [json.loads(line) for line in Path("outputs/demo-sandbox/inception_eval_results.jsonl").read_text().splitlines()]
    assert line["metric"] == "fvd2048_16f" and line["results"]["fvd2048_16f"] > 0
    assert line["samples"]["fake"] == {"videos": 2, "skipped": 0, "drawn": 2048, "distinct": 6}
