"""What a job writes below env_params may be anything; what is wrong is told, all of it, with its key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from djsandbox.envs import EnvRecipe, Repository, problems
from djsandbox.envs.faults import KeyProblem

RECIPE = EnvRecipe("base", requirements=("six",), repositories=(Repository("model"),))


def told(manager: str | None, params: dict[str, Any]) -> dict[tuple[str | int, ...], str]:
    """The messages by the keys that they are of."""
    found = problems(RECIPE, manager=manager, params=params)
    return {one.loc: one.message for one in found if isinstance(one, KeyProblem)}


@pytest.mark.parametrize(
    ("manager", "params", "key", "says"),
    [
        ("existing", {"path": [1, 2]}, ("path",), "path is the path of a file or folder, not [1, 2]"),
        ("existing", {"path": 3}, ("path",), "path is the path of a file or folder, not 3"),
        ("existing", {"path": "a\0b"}, ("path",), "path is the path of a file or folder"),
        ("uv", {"env_config_path": 3}, ("env_config_path",), "env_config_path is the path of a file or folder, not 3"),
        ("uv", {"env_config_path": [3]}, ("env_config_path",), "env_config_path is the path of a file or folder, not [3]"),
        ("uv", {"variables": {"A=B": "1"}}, ("variables", "A=B"), "a name is not empty and has neither '='"),
        ("existing", {"variables": {"A": "1\0"}}, ("variables", "A"), "a value has no NUL in it"),
        ("uv", {"requirements": ["six", 1]}, ("requirements", 1), "requirements is a list of texts, and 1 is none"),
        ("uv", {"requirements": ["a\0"]}, ("requirements",), "has a NUL in it"),
        ("uv", {"homes": {"model": 3}}, ("homes", "model"), "homes is a mapping of texts to texts"),
        ("uv", {"homes": {3: "/x"}}, ("homes", 3), "homes is a mapping of texts to texts"),
        ("uv", {"homes": {"model": "a\0"}}, ("homes",), "has a NUL in it"),
        ("uv", {"python": [3]}, ("python",), "must be a version such as 3.10"),
    ],
)
def test_a_value_of_another_kind_is_told_with_its_key(
    manager: str, params: dict[str, Any], key: tuple[str | int, ...], says: str
) -> None:
    assert says in told(manager, params)[("env_params", *key)]


def test_wrong_keys_values_and_managers_are_told_together() -> None:
    found = told("uvx", {"requirments": ["x"], "python": 3.1, "requirements": 5, "requirement_files": ["/nowhere.txt"]})
    assert "unknown env_manager 'uvx'" in found[("env_manager",)]
    assert "as a number is 3.1" in found[("env_params", "python")]
    assert "requirements is a list of texts, not 5" in found[("env_params", "requirements")]
    assert "nowhere.txt cannot be read" in found[("env_params", "requirement_files", 0)]


def test_a_key_that_no_manager_knows_is_told_with_the_values_that_are_wrong_and_the_files_that_are_not_there() -> None:
    params = {"requirments": ["x"], "requirements": ["a b", "six", "c d"], "requirement_files": ["/no.txt", "/none.txt"]}
    found = told("uv", params)
    assert "uv does not know 'requirments'" in found[("env_params", "requirments")]
    assert {key[1:] for key in found} == {
        ("requirments",), ("requirements", 0), ("requirements", 2), ("requirement_files", 0), ("requirement_files", 1)
    }  # fmt: skip


def test_all_that_is_wrong_with_an_existing_environment_is_told(tmp_path: Path) -> None:
    params = {"path": str(tmp_path / "none"), "requirements": 5, "homes": {"model": str(tmp_path / "gone")}}
    found = told("existing", params)
    assert "there is no environment at" in found[("env_params", "path")]
    assert ("env_params", "homes", "model") in found and ("env_params", "requirements") in found
