from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from djsandbox.errors import SandboxError
from djsandbox.journal.history import History, JobRecord
from djsandbox.journal.journal import Journal

RECORD = JobRecord(
    run_id="r1",
    iteration=1,
    job_id="p/probe/0",
    meta_name="analysis",
    key="k1",
    attempt="a1",
    deterministic=True,
    outputs={"res_0": [1, 2]},
    files={"out/a.jsonl": "sha256:00"},
    seconds=1.5,
    where="sandbox.yaml:7",
    placed={"out/a.jsonl": "out/iter_1/a.jsonl"},
    ingredients={"config": "00"},
)


def history(work_dir: Path) -> History:
    return History(Journal(work_dir).events())


def test_a_finished_job_is_found_again_as_it_was_recorded(tmp_path: Path) -> None:
    Journal(tmp_path).append("job_finished", **RECORD.to_fields())
    assert history(tmp_path).finished("p/probe/0", 1, "k1") == RECORD


def test_another_key_job_or_iteration_finds_nothing() -> None:
    past = History()
    past.add(RECORD)
    assert past.finished("p/probe/0", 1, "k2") is None
    assert past.finished("p/probe/1", 1, "k1") is None
    assert past.finished("p/probe/0", 2, "k1") is None


def test_the_latest_of_equal_results_counts_and_a_reused_one_is_one(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append("job_finished", **RECORD.to_fields())
    again = replace(RECORD, run_id="r2", attempt="a2")
    journal.append("job_reused", **again.to_fields(), from_attempt="a1")
    assert history(tmp_path).finished("p/probe/0", 1, "k1") == again


def test_the_latest_result_of_a_job_is_found_whatever_its_key() -> None:
    past = History()
    past.add(RECORD)
    past.add(replace(RECORD, key="k2"))
    past.add(replace(RECORD, key="k3", iteration=2))
    assert past.latest("p/probe/0", 1) == replace(RECORD, key="k2")
    assert past.latest("p/probe/1", 1) is None


def test_only_deterministic_results_are_shared_by_key() -> None:
    past = History()
    past.add(replace(RECORD, deterministic=False))
    assert past.same_key("k1") is None
    past.add(replace(RECORD, job_id="p/probe/5", iteration=3))
    assert past.same_key("k1") == replace(RECORD, job_id="p/probe/5", iteration=3)


def test_sharing_can_be_restricted_to_one_run() -> None:
    past = History()
    past.add(RECORD)
    past.add(replace(RECORD, run_id="r2", attempt="a2"))
    assert past.same_key("k1", run_id="r1") == RECORD
    assert past.same_key("k1", run_id="r3") is None
    assert past.same_key("k1") == replace(RECORD, run_id="r2", attempt="a2")


def test_what_was_only_started_failed_or_interrupted_has_no_result(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for event in ("job_started", "job_failed", "job_interrupted"):
        journal.append(event, run_id="r1", iteration=1, job_id="p/probe/0", key="k1", attempt="a1")
    assert history(tmp_path).finished("p/probe/0", 1, "k1") is None


def test_runs_are_summed_up_with_their_status_and_counts(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append("run_started", run_id="r1", config_file="a.yaml", config_digest="d", versions={}, resume=False)
    journal.append("job_started", run_id="r1", iteration=1, job_id="p/probe/0", key="k1", attempt="a1")
    journal.append("job_finished", **RECORD.to_fields())
    journal.append("job_started", run_id="r1", iteration=1, job_id="p/probe/1", key="k2", attempt="a2")
    journal.append("job_failed", run_id="r1", iteration=1, job_id="p/probe/1", attempt="a2", error="x")
    journal.append("run_finished", run_id="r1", status="failed")
    journal.append("run_started", run_id="r2", config_file="a.yaml", config_digest="d", versions={}, resume=True)
    journal.append("job_reused", **replace(RECORD, run_id="r2", attempt="a3").to_fields(), from_attempt="a1")
    journal.append("iteration_finished", run_id="r2", iteration=1)
    journal.append("job_started", run_id="r2", iteration=2, job_id="p/probe/1", key="k2", attempt="a4")
    first, second = history(tmp_path).runs()
    assert (first.run_id, first.status, first.config_file) == ("r1", "failed", "a.yaml")
    assert first.counts == {"finished": 1, "reused": 0, "failed": 1, "interrupted": 0, "killed": 0}
    assert first.ended is not None
    assert (second.run_id, second.status, second.iterations, second.ended) == ("r2", "killed", 1, None)
    assert second.counts == {"finished": 0, "reused": 1, "failed": 0, "interrupted": 0, "killed": 1}
    assert history(tmp_path).last_run() == second


def test_an_empty_history_has_no_last_run() -> None:
    assert History().runs() == []
    assert History().last_run() is None


def test_events_and_fields_of_a_newer_release_are_ignored(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append("run_started", run_id="r1", config_file=None, colour="red")
    journal.append("task_finished", run_id="r1", task=3)
    journal.append("job_finished", **RECORD.to_fields(), gpu_seconds=4)
    past = history(tmp_path)
    assert past.finished("p/probe/0", 1, "k1") == RECORD
    assert [run.run_id for run in past.runs()] == ["r1"]


def test_a_finished_job_that_lacks_a_field_is_an_error_that_names_it(tmp_path: Path) -> None:
    fields = RECORD.to_fields()
    del fields["files"]
    Journal(tmp_path).append("job_finished", **fields)
    with pytest.raises(SandboxError, match=r"'job_finished'.*lacks files"):
        history(tmp_path)
