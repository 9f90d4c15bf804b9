"""What is wrong with an environment is said at the line of the key that is wrong, or of whoever wrote it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox.errors import ConfigError

PARTS = '''
from djsandbox import BaseEvaluator, EnvConfig, EnvRecipe, Repository


class Plain(BaseEvaluator):
    """Changes nothing."""

    env = EnvRecipe("plain")

    class Config(EnvConfig):
        pass

    def run(self, eval_type, eval_obj=None, **kwargs):
        return 1


class ForCluster(Plain):
    """Has a recipe with source code and a manager that is not installed."""

    env = EnvRecipe("cluster", managers=("uv", "venv", "micromamba"), repositories=(Repository("tool", proof=("tool.py",)),))


class Wrong(Plain):
    """Changes its recipe to what makes no sense."""

    def recipe_changes(self):
        return {"requirements": ["a b"], "variables": {"A=B": "1", "C": "1"}}


class NoMapping(Plain):
    """Says nothing that could be changes."""

    def recipe_changes(self):
        return 3


class Malformed(Plain):
    """Has a recipe with a text for a tool."""

    def env_recipe(self):
        return EnvRecipe("plain", system_tools=("java",))
'''
JOB = """evaluation_job_configs:
  - hook: EvaluateDataHook
    meta_name: job
    output: said
    extra_configs:
      type: ./parts.py:KIND
"""


@pytest.fixture(autouse=True)
def parts(lab: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJSANDBOX_ENVS", str(tmp_path / "store"))
    (lab.folder / "parts.py").write_text(PARTS)


def told(lab: Any, kind: str, keys: str) -> dict[int, str]:
    """What is told, by the number of the line below `type` (0) that it is told at."""
    text = JOB.replace("KIND", kind)
    lab.write(text + keys)
    with pytest.raises(ConfigError) as caught:
        djsandbox.validate("sandbox.yaml")
    return {one.where.line - text.count("\n"): one.message for one in caught.value.problems if one.where is not None}


def test_each_wrong_key_is_said_at_its_own_line(lab: Any) -> None:
    keys = """      env_manager: uvx
      env_params:
        variables:
          A=B: "1"
        python: 3.1
        requirements:
          - six
          - a b
"""
    found = told(lab, "Plain", keys)
    assert set(found) == {1, 4, 5, 8}
    assert "unknown env_manager 'uvx'" in found[1]
    assert "neither '='" in found[4] and "as a number is 3.1" in found[5] and "a b" in found[8]
    assert set(told(lab, "Plain", keys.replace("uvx", "uv").replace("python: 3.1", "pyhton: x"))) == {4, 5, 8}


def test_what_a_component_changes_is_said_of_the_component(lab: Any) -> None:
    keys = "      env_params:\n        variables:\n          B: x\n"
    lab.write(JOB.replace("KIND", "Wrong") + keys)
    with pytest.raises(ConfigError) as caught:
        djsandbox.validate("sandbox.yaml")
    messages = [one.message for one in caught.value.problems]
    assert len(messages) == 2 and all(text.startswith("the component's recipe_changes(): ") for text in messages)


@pytest.mark.parametrize(("kind", "says"), [("NoMapping", "recipe_changes()"), ("Malformed", "system_tools[0] is to be")])
def test_a_component_that_says_nonsense_of_its_environment_is_named(lab: Any, kind: str, says: str) -> None:
    lab.write(JOB.replace("KIND", kind))
    with pytest.raises(djsandbox.SandboxError, match=kind) as caught:
        djsandbox.validate("sandbox.yaml")
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("env_manager", "uvx", "unknown env_manager 'uvx'"),
        ("env_manager", "micromamba", "is to be made by micromamba, which is not installed here"),
        ("env_params.python", "3.1", "as a number is 3.1"),
        ("env_params", '{python: "3.4", homes: {tool: here}}', "needs a Python 3.4, and there is none"),
        ("env_params.requirements", "[a b]", "'a b' is no requirement"),
        ("env_params.requirement_files.0", "nowhere.txt", "nowhere.txt cannot be read"),
        ("env_params.pyhton", "3.10", "does not know 'pyhton'"),
        ("env_params.variables", "{A=B: x}", "neither '='"),
        ("env_params.homes.tool", "nowhere", "nowhere, which is said to be the checkout of tool"),
    ],
)
def test_a_value_from_the_command_line_is_said_to_come_from_there(
    lab: Any, monkeypatch: pytest.MonkeyPatch, key: str, value: str, says: str
) -> None:
    monkeypatch.setenv("PATH", str(lab.folder))
    (lab.folder / "here").mkdir()
    (lab.folder / "here" / "tool.py").touch()
    keys = """      env_manager: venv
      env_params:
        requirements: [six]
        requirement_files: [here/tool.py]
        variables: {A: b}
        homes: {tool: here}
"""
    lab.write(JOB.replace("KIND", "ForCluster") + keys)
    assert not djsandbox.validate("sandbox.yaml")
    with pytest.raises(ConfigError) as caught:
        djsandbox.validate("sandbox.yaml", settings=[f"job.extra_configs.{key}={value}"])
    (problem,) = caught.value.problems
    assert says in problem.message
    assert str(problem.where) == f"--set job.extra_configs.{key}"


def test_what_nobody_has_written_is_not_blamed_on_the_component(lab: Any) -> None:
    found = told(lab, "ForCluster", "      env_manager: uv\n")
    assert list(found.values()) == [
        "the environment 'cluster' needs the source code of tool, and nothing says where yours is",
    ]
