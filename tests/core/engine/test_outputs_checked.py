"""Outputs that cannot be written are found before the first job, not by the job that has worked for hours."""

import os
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox.errors import ConfigError

Lab = Any


def validate(lab: Lab, path: str, **options: Any) -> None:
    lab.write(
        "execution_job_configs:\n"
        "  - hook: GeneralDataExecutorHook\n"
        f'    extra_configs: {{type: "./parts.py:Write", export_path: {path}}}\n'
    )
    djsandbox.validate("sandbox.yaml", **options)


@pytest.mark.parametrize("max_iter_num", [1, 2])
def test_a_file_where_a_folder_must_be_is_in_the_way(lab: Lab, max_iter_num: int) -> None:
    (lab.folder / "file").touch()
    with pytest.raises(ConfigError) as caught:
        validate(lab, "file/sub/a.txt", max_iter_num=max_iter_num)
    assert str(caught.value).startswith("sandbox.yaml:3: the output 'file/sub/a.txt' cannot be written: ")
    assert f"{lab.folder / 'file'} is a file" in str(caught.value)


def test_a_folder_that_may_not_be_written_to_is_in_the_way(lab: Lab) -> None:
    closed = Path("/proc/sys/kernel")
    if os.access(closed, os.W_OK):
        closed = lab.folder / "closed"
        closed.mkdir(mode=0o555)
    if os.access(closed, os.W_OK):
        pytest.skip("who runs the tests may write everywhere")
    for path in (f"{closed}/a.txt", f"{closed}/deep/a.txt", str(closed)):
        with pytest.raises(ConfigError, match="no permission to write"):
            validate(lab, path)


@pytest.mark.parametrize("path", ["new/sub/a.txt", "old/a.txt", "old/", "old/there.txt", "a.txt", "link/a.txt"])
def test_what_can_be_written_is_no_problem_and_nothing_is_made(lab: Lab, path: str) -> None:
    (lab.folder / "old").mkdir()
    (lab.folder / "old/there.txt").touch()
    (lab.folder / "link").symlink_to("old")
    validate(lab, path)
    assert not (lab.folder / "new").exists()


def test_what_a_path_will_be_is_not_guessed(lab: Lab) -> None:
    lab.write("""
        execution_job_configs:
          - {hook: EvaluateDataHook, output: place, extra_configs: {type: "./parts.py:Give", value: out/x.txt}}
          - hook: GeneralDataExecutorHook
            input: {extra_configs.export_path: -1.place}
            extra_configs: {type: "./parts.py:Write", export_path: /proc/<place>}
    """)
    assert djsandbox.validate("sandbox.yaml") == ()
