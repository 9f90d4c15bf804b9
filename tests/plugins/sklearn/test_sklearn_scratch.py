"""Scratch space: where it lies, and that nothing of it stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from djsandbox_sklearn.scratch import scratch_folder


def test_scratch_lies_in_the_folder_of_the_job_and_is_gone_after_a_failure(tmp_path):
    with pytest.raises(RuntimeError), scratch_folder(tmp_path) as folder:
        assert folder.parent == tmp_path
        (folder / "values").write_bytes(b"x")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_scratch_can_be_had_outside_of_a_run(tmp_path):
    with scratch_folder(tmp_path / "never made") as folder:
        assert folder.is_dir()
        assert Path(tmp_path / "never made") not in folder.parents
