"""What is wrong with one of several environments of one name says which of them it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox.errors import ConfigError

PARTS = '''
from djsandbox import BaseEvaluator, EnvConfig, EnvRecipe, SystemTool


class Scoring(BaseEvaluator):
    """Needs a program that no machine has."""

    env = EnvRecipe("scoring", managers=("uv",), requirements=("six==1.16",), system_tools=(SystemTool("no-java", "x"),))

    class Config(EnvConfig):
        pass

    def run(self, eval_type, eval_obj=None, **kwargs):
        return 1


class Ranking(Scoring):
    """Has a recipe of its own."""

    env = EnvRecipe("ranking", python="3.9", managers=("uv",), system_tools=(SystemTool("no-java", "x"),))
'''


@pytest.fixture(autouse=True)
def parts(lab: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJSANDBOX_ENVS", str(tmp_path / "store"))
    (lab.folder / "parts.py").write_text(PARTS)


def told(lab: Any, *jobs: dict[str, Any]) -> list[str]:
    """What is told of a config with these `extra_configs`."""
    listed = [
        {
            "hook": "EvaluateDataHook",
            "meta_name": f"job{at}",
            "output": "said",
            "extra_configs": {"type": "./parts.py:Scoring", **job},
        }
        for at, job in enumerate(jobs)
    ]
    lab.write(json.dumps({"evaluation_job_configs": listed}))
    with pytest.raises(ConfigError) as caught:
        djsandbox.validate("sandbox.yaml")
    return [problem.message.partition(" (of the environments called ")[2] for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ({"requirements": ["six==1.15"]}, {"requirements": ["six==1.16"]}, ("six==1.15", "six==1.16")),
        ({"python": "3.10"}, {"python": "3.12"}, ("Python 3.10", "Python 3.12")),
        ({"requirements": ["idna"]}, {}, ("idna", "nothing that the others lack")),
        ({"variables": {"A": "1"}}, {"variables": {"A": "2"}}, ("A=1", "A=2")),
    ],
)
def test_two_environments_of_one_name_are_told_apart_by_what_they_are_made_of(
    lab: Any, first: dict[str, Any], second: dict[str, Any], says: tuple[str, str]
) -> None:
    found = told(lab, {"env_params": first}, {"env_params": second})
    assert found == [f"'scoring', the one with {one})" for one in says]


def test_two_recipes_under_one_env_name_are_told_apart(lab: Any) -> None:
    mine = {"env_name": "mine"}
    scoring, ranking = told(lab, mine, {**mine, "type": "./parts.py:Ranking"})
    assert scoring.startswith("'mine', the one with Python 3.1") and "six==1.16" in scoring
    assert ranking == "'mine', the one with Python 3.9)"


def test_secrets_tell_nothing_apart(lab: Any) -> None:
    first, second = ({"env_params": {"variables": {"API_KEY": key, "N": key[0]}}} for key in ("1-hunter2", "2-hunter2"))
    assert told(lab, first, second) == ["'scoring', the one with N=1)", "'scoring', the one with N=2)"]


def test_jobs_that_share_an_environment_and_environments_of_different_names_need_no_telling_apart(lab: Any) -> None:
    assert told(lab, {}, {}) == [""]
    assert told(lab, {"env_name": "one"}, {"env_name": "two", "env_params": {"requirements": ["idna"]}}) == ["", ""]
