"""A Ray that is there is used and left alone; one of our own is ended with the training, and no other."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from djsandbox import JobFailed
from djsandbox_trinity.worker.own_ray import RayProblem, own_head, status


def test_without_ray_the_message_says_how_to_start_it(sandbox):
    with pytest.raises(JobFailed) as caught:
        sandbox.run(start_ray=False, ray_address="127.0.0.1:1")
    assert "Ray is not running at 127.0.0.1:1" in str(caught.value)
    assert "ray start --head" in str(caught.value)
    assert "start_ray: true" in str(caught.value)


def test_a_ray_that_is_there_is_used_and_lives_on(sandbox, head):
    assert Path(sandbox.run(start_ray=False, ray_address=head)).is_dir()


def test_a_ray_that_ray_address_names_in_the_environment_is_used(sandbox, head, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", head)
    assert Path(sandbox.run(start_ray=False)).is_dir()


def test_a_training_is_not_repeated_because_ray_has_another_address_now(sandbox, head, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", head)
    before = sandbox.run(start_ray=False)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    assert sandbox.run(start_ray=False, resume=True) == before
    assert len(list((sandbox.folder / "work" / "jobs").rglob("attempt_*"))) == 1


def test_a_ray_of_our_own_ends_and_leaves_that_of_others_alone(sandbox, head, no_head_is_left):
    sandbox.run(start_ray=True)
    assert "a Ray head of our own is ready at" in sandbox.log()


def test_a_ray_of_our_own_ends_when_the_training_fails(sandbox, head, no_head_is_left):
    with pytest.raises(JobFailed):
        sandbox.run(failure="killed")


def test_a_token_that_is_refused_is_told_as_that(sandbox, head):
    with pytest.raises(JobFailed, match="it wants the token of who started it"):
        sandbox.run(failure="ray-token", start_ray=False, ray_address=head)


def test_what_a_head_has_written_goes_with_it(sandbox):
    before = set(Path("/tmp").glob("djr-*"))
    sandbox.run()
    assert set(Path("/tmp").glob("djr-*")) <= before


def test_two_trainings_on_one_cluster_have_namespaces_of_their_own(sandbox, head):
    import yaml

    sandbox.run(start_ray=False, ray_address=head)
    written = yaml.safe_load(next((sandbox.folder / "work" / "jobs").rglob("train.yaml")).read_text())
    assert written["ray_namespace"] == "${oc.env:DJSANDBOX_TRINITY_NAMESPACE}"
    assert written["cluster"]["ray_address"] == "auto"


def test_nothing_of_ours_calls_ray_stop():
    import djsandbox_trinity

    folder = Path(djsandbox_trinity.__file__).parent
    sources = [path for path in folder.rglob("*.py") if "testing" not in path.parts]
    assert not [path for path in sources if '"stop"' in path.read_text()]


REAL_RAY = Path(sys.executable).with_name("ray")


@pytest.mark.slow
@pytest.mark.skipif(not REAL_RAY.exists(), reason="Ray itself is not installed beside this Python")
def test_a_real_ray_starts_with_a_token_answers_and_ends_whole(tmp_path):
    env = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    with own_head(str(REAL_RAY), env) as known:
        assert status(str(REAL_RAY), known)[0]
        stranger = status(str(REAL_RAY), {**known, "RAY_AUTH_MODE": "disabled"})
        assert not stranger[0]
        folder = Path(known["RAY_AUTH_TOKEN_PATH"]).parent
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()
    assert subprocess.run(["pgrep", "-f", str(folder)], capture_output=True, check=False).stdout == b""


def test_a_head_that_does_not_start_is_reported_with_its_last_words(tmp_path):
    broken = tmp_path / "ray"
    broken.write_text("#!/bin/sh\necho no room for the object store\nexit 7\n")
    broken.chmod(0o755)
    with (
        pytest.raises(RayProblem, match=r"exit code 7:\nno room for the object store"),
        own_head(str(broken), dict(os.environ)),
    ):
        pass
    assert shutil.which(str(broken))
