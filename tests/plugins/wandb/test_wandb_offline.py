"""The tracker with the real library and no account: what it writes is read back by W&B's own `wandb sync`."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox import hookimpl

pytestmark = pytest.mark.slow

Lab = Callable[..., Path]
Sync = Callable[[Sequence[Path]], None]


class Notices:
    """What a run shows to whoever runs it."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    @hookimpl
    def djsandbox_notice(self, text: str) -> None:
        self.texts.append(text)


def run(file: Path, **options: Any) -> list[str]:
    notices = Notices()
    djsandbox.run(file, plugins={"notices": notices}, **options)
    return notices.texts


def offline_runs() -> list[Path]:
    return sorted(Path("out/wandb").glob("offline-run-*"))


def test_without_a_key_a_run_is_mirrored_without_secrets_to_files_that_wandb_itself_can_upload(
    lab: Lab, logged_in: Any, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = os.environ["WANDB_API_KEY"]
    monkeypatch.delenv("WANDB_API_KEY")
    said = run(lab("tracker: wandb", extra="x: 2.0, api_key: sk-very-secret"))

    (folder,) = offline_runs()
    assert said == [f"W&B: offline, there is no API key (wandb login); to upload it afterwards: wandb sync {folder.resolve()}"]
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert not [path for path in written if b"sk-very-secret" in path.read_bytes()]
    assert b"Bearer ***" in next(folder.glob("*.wandb")).read_bytes()
    monkeypatch.setenv("WANDB_API_KEY", key)
    sync([folder])
    found = logged_in.named("first")
    assert (found["project"], found["groupName"], found["jobType"]) == ("lab-one", "first", "run")
    losses = [(row["step"], row["measure.loss"]) for row in found["rows"] if "measure.loss" in row]
    assert losses == [(1, 2.0), (2, 1.0), (3, pytest.approx(2 / 3))]
    assert all(row["iteration"] == 1 for row in found["rows"] if "measure.loss" in row)
    assert found["summary"]["measure.label"] == "good"
    assert found["summary"]["demo.measure.square"] == 4.0
    assert found["summary"]["status"] == "done"
    assert found["summary"]["tables/Pools- best-first notes"] == "two of them"
    assert found["config"]["sandbox"]["experiment_name"] == "first"
    assert found["config"]["demo/probe/0"]["extra_configs"]["x"] == 2.0
    assert found["exit_code"] == 0
    assert json.loads(found["files"]["context_infos.json"]) == {"demo": [{"meta_name": "measure", "square": 4.0}]}
    (table,) = [json.loads(body) for name, body in found["files"].items() if name.endswith(".table.json")]
    assert (table["columns"], table["data"]) == (["pool", "score"], [["a", 1], ["b", None]])


def test_without_a_network_the_run_waits_a_few_seconds_at_most_and_is_mirrored_to_files(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "0123456789abcdef" * 3)
    began = time.monotonic()

    (said,) = run(lab("tracker: {type: wandb, init_timeout: 1}"))

    assert "offline, " in said and "connection refused" in said and "wandb sync" in said
    assert len(offline_runs()) == 1
    assert time.monotonic() - began < 60  # of which most is the import of a machine under load


def test_a_server_that_refuses_the_key_does_not_fail_the_run(lab: Lab, logged_in: Any) -> None:
    logged_in.refuses = True

    (said,) = run(lab("tracker: {type: wandb, init_timeout: 1}"))

    assert said.startswith("W&B: offline, ")
    assert len(offline_runs()) == 1


def test_a_key_that_cannot_be_one_does_not_fail_the_run(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "short")

    (said,) = run(lab("tracker: wandb"))

    assert said.startswith("W&B: offline, ") and "short" not in said


def test_wandb_mode_disabled_is_honoured(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")

    assert run(lab("tracker: wandb")) == ["W&B: nothing is mirrored (WANDB_MODE=disabled)"]
    assert not offline_runs()


def test_the_trials_of_a_sweep_are_runs_of_one_group_and_their_files_stay_with_the_sweep(
    lab: Lab, logged_in: Any, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WANDB_API_KEY")
    file = lab("hpo_config: sweep.yaml", "tracker: {type: wandb, group: trials of one}")
    Path("sweep.yaml").write_text(
        "method: grid\nmetric: {name: demo.measure.square}\nparameters: {demo.measure.extra_configs.x: {values: [1.0, 3.0]}}\n"
    )

    (said,) = run(file)

    assert said.endswith("wandb sync out/wandb/offline-run-*")
    assert len(offline_runs()) == 3
    monkeypatch.setenv("WANDB_API_KEY", "0123456789abcdef" * 3)
    sync(offline_runs())
    found = {name: logged_in.named(name) for name in ("first-sweep", "first-trial-1", "first-trial-2")}
    assert {run["groupName"] for run in found.values()} == {"trials of one"}
    assert found["first-trial-2"]["config"]["demo.measure.extra_configs.x"] == 3.0
    assert found["first-trial-2"]["summary"]["demo.measure.square"] == 9.0
    assert found["first-sweep"]["config"]["sweep"]["method"] == "grid"
    values = [(row["step"], row["sweep.value"]) for row in found["first-sweep"]["rows"] if "sweep.value" in row]
    assert values == [(1, 1.0), (2, 9.0)]
