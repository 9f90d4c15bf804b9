from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from djsandbox.envs import EnvironmentFailed, EnvRecipe, Repository, environment_for, problems
from djsandbox.errors import ConfigError

ANSWER = ("python", "-c", "import tiny, beta; print('answer', tiny.ANSWER)")


def patch_of(repo: Any, tmp_path: Path, old: str, new: str) -> str:
    """A patch of our own that changes one line of tiny.py."""
    path = tmp_path / "it's our.patch"
    path.write_text(f"--- a/tiny.py\n+++ b/tiny.py\n@@ -1 +1 @@\n-ANSWER = {old}\n+ANSWER = {new}\n")
    return str(path)


def tiny(repo: Any, **details: Any) -> Repository:
    given = {
        "url": str(repo.folder), "commit": repo.first, "install": "editable", "requirement_files": ("requirements.txt",),
    }  # fmt: skip
    return Repository("tiny", **{**given, **details})


def test_a_repository_is_cloned_at_its_commit_patched_and_installed(
    repo: Any, recipe: Callable[..., EnvRecipe], tmp_path: Path
) -> None:
    patch = patch_of(repo, tmp_path, "1", "41 + 1")
    ready = environment_for(recipe(repositories=(tiny(repo, patches=(patch,)),), leave_out=("bitsandbytes",), check=ANSWER))
    assert ready.run_cmd(ANSWER, on_line=None).last_lines == ("answer 42",)
    assert ready.packages == {"alpha": "2.0", "beta": "1.0", "tiny": "1.0"}
    source = ready.sources["tiny"]
    assert source == ready.path.parent / "src" / "tiny"
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=source, capture_output=True, text=True, check=True)
    assert head.stdout.strip() == repo.first
    assert (repo.folder / "tiny.py").read_text() == "ANSWER = 2\n"


def test_what_a_repository_depends_on_can_be_left_to_the_recipe(repo: Any, recipe: Callable[..., EnvRecipe]) -> None:
    source = tiny(repo, install="editable_without_dependencies", requirement_files=())
    assert environment_for(recipe(repositories=(source,))).packages == {"tiny": "1.0"}


def test_the_users_own_checkout_is_used_as_it_is_and_not_written_to_by_us(
    repo: Any, recipe: Callable[..., EnvRecipe], tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in repo.folder.glob("*.*") if path.is_file()}
    source = tiny(repo, url=None, commit=None, proof=("tiny.py",), install="editable_without_dependencies")
    small = recipe(repositories=(source,), leave_out=("bitsandbytes",))
    ready = environment_for(small, params={"homes": {"tiny": str(repo.folder)}})
    assert ready.sources["tiny"] == repo.folder
    assert ready.run_cmd(ANSWER, on_line=None).last_lines == ("answer 2",)
    assert {path: path.read_bytes() for path in repo.folder.glob("*.*") if path.is_file()} == before
    (repo.folder / "tiny.py").write_text("ANSWER = 333\n")  # another size: the compiled one is told by size and second
    assert environment_for(small, params={"homes": {"tiny": str(repo.folder)}}).path == ready.path
    assert ready.run_cmd(ANSWER, on_line=None).last_lines == ("answer 333",)


def test_a_commit_that_is_not_there_is_told_with_what_to_do_by_hand(
    repo: Any, recipe: Callable[..., EnvRecipe], store: Path
) -> None:
    with pytest.raises(EnvironmentFailed, match="failed at getting tiny: tiny cannot be had at commit aaaa") as caught:
        environment_for(recipe(repositories=(tiny(repo, commit="a" * 40),)))
    assert f"git clone {repo.folder} tiny && git -C tiny checkout {'a' * 40}" in str(caught.value)
    assert "env_params: {homes: {tiny: /path/to/tiny}}" in str(caught.value)
    assert list((store / "builds").iterdir()) == []


def test_a_patch_that_does_not_apply_is_told(repo: Any, recipe: Callable[..., EnvRecipe], tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailed, match="does not apply to tiny at"):
        environment_for(recipe(repositories=(tiny(repo, patches=(patch_of(repo, tmp_path, "7", "8"),)),)))


def test_without_a_network_the_message_says_what_to_clone_where_before_anything_begins(
    repo: Any, recipe: Callable[..., EnvRecipe], store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = recipe(repositories=(tiny(repo, url="https://example.org/tiny.git", patches=("/x/ours.patch",)),))
    with pytest.raises(ConfigError) as caught:
        environment_for(replace(far, repositories=(replace(far.repositories[0], patches=()),)), offline=True)
    assert "cloning it needs the network" in str(caught.value)
    assert f"git clone https://example.org/tiny.git tiny && git -C tiny checkout {repo.first}" in str(caught.value)
    assert not (store / "builds").exists()
    monkeypatch.setenv("DJSANDBOX_OFFLINE", "1")
    assert problems(recipe(repositories=(tiny(repo),))) == []  # a local one can be cloned all the same


def test_a_checkout_that_is_missing_or_is_another_one_is_told(
    repo: Any, recipe: Callable[..., EnvRecipe], tmp_path: Path
) -> None:
    small = recipe(repositories=(Repository("internvl", proof=("internvl/train",)),))
    assert "nothing says where yours is" in problems(small)[0].message
    assert "homes: {internvl: FOLDER}" in str(problems(small)[0].fix)
    gone = problems(small, params={"homes": {"internvl": str(tmp_path / "gone")}})
    assert f"there is no folder {tmp_path / 'gone'}" in gone[0].message
    wrong = problems(small, params={"homes": {"internvl": str(repo.folder)}})
    assert "is no checkout of internvl: it has no internvl/train" in wrong[0].message


def test_hooks_and_questions_of_git_have_no_say(repo: Any, recipe: Callable[..., EnvRecipe], tmp_path: Path) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-checkout", "post-merge"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch '{tmp_path}/hooked'\n")
        (hooks / name).chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path))
        (tmp_path / ".gitconfig").write_text(f"[core]\nhooksPath = {hooks}\n")
        environment_for(recipe(repositories=(tiny(repo, install="no", requirement_files=()),)))
    assert not (tmp_path / "hooked").exists()


def test_patches_that_the_users_own_checkout_lacks_are_told_and_not_applied(
    repo: Any, recipe: Callable[..., EnvRecipe], tmp_path: Path
) -> None:
    patch = patch_of(repo, tmp_path, "2", "42")
    source = tiny(repo, patches=(patch,), install="no", requirement_files=(), home=str(repo.folder))
    (found,) = problems(recipe(repositories=(source,)))
    assert found.severity == "warning"
    assert "has not been changed as the recipe wants" in found.message
    assert (repo.folder / "tiny.py").read_text() == "ANSWER = 2\n"
    subprocess.run(["git", "apply", patch], cwd=repo.folder, check=True)
    assert problems(recipe(repositories=(source,))) == []
