"""Jobs that run in an environment of their own: checked by the plan, made by the run, part of what a result depends on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox import JobContext
from djsandbox.envs import environment_for
from djsandbox.envs.store import Store
from djsandbox.errors import ComponentError, ConfigError, JobFailed, PluginError

Lab = Any

WITH_ENVIRONMENT = '''
import json
from pathlib import Path
from typing import Any

from djsandbox import (
    BaseEvaluator, CommandConfig, CommandExecutor, ComponentConfig, EnvConfig, EnvRecipe, Repository, SystemTool, Task,
)

FROM = json.loads(Path("from.json").read_text())
SAY = "import alpha, os, sys; open(sys.argv[1], 'w').write(alpha.VERSION + ' ' + os.environ['COLOUR'] + ' ' + sys.prefix)"
RECIPE = EnvRecipe(
    "small", managers=("uv", "venv"), requirements=("alpha==1.0",), pip_options=FROM, variables={"COLOUR": "red"}
)


class InTasks(CommandExecutor):
    """Runs two programs that import alpha."""

    env = RECIPE

    class Config(EnvConfig, CommandConfig):
        names: list[str] = ["a", "b"]

    def tasks(self, run_type, run_obj=None):
        python, variables = self.environment.python, self.environment.variables()
        for name in self.config.names:
            path = f"{self.work_dir}/{name}.txt"
            yield Task(name, (str(python), "-c", SAY, path), (path,), env=variables)

    def task_result(self, task):
        assert self.environment.python.exists()
        return Path(task.outputs[0]).read_text()


class InProcess(BaseEvaluator):
    """Asks its environment for the version of alpha."""

    env = RECIPE
    deterministic = True

    class Config(EnvConfig):
        colour: str | None = None
        note: str = ""

    def recipe_changes(self):
        return {"variables": {"COLOUR": self.config.colour, "OURS": "1"}} if self.config.colour else {}

    def run(self, eval_type, eval_obj=None, **kwargs):
        lines = []
        show = "import alpha, os; print(alpha.VERSION, os.environ['COLOUR'], os.environ.get('OURS'))"
        self.environment.run_cmd(["python", "-c", show], on_line=lines.append)
        return lines[0]


class Hungry(InProcess):
    """Its recipe wants programs that no machine has."""

    env = EnvRecipe("hungry", system_tools=(SystemTool("no-java", "scoring", get="buy one"), SystemTool("no-ffmpeg", "fun")))


class ByName(InProcess):
    """Its recipe is to come from a plugin."""

    env = "interval"


class Plain(InProcess):
    """Takes no env_manager."""

    class Config(ComponentConfig):
        colour: str | None = None


class Sometimes(InProcess):
    """Needs its environment for some of its configs only."""

    def env_recipe(self):
        return None if self.config.colour == "none" else self.env

    def run(self, eval_type, eval_obj=None, **kwargs):
        return "alone" if self.config.colour == "none" else super().run(eval_type)


class Impossible(InProcess):
    """Its recipe asks for a package that is nowhere."""

    env = EnvRecipe("impossible", managers=("uv",), requirements=("nowhere==1",), pip_options=FROM)


class Ours(InProcess):
    """Also runs in the interpreter of djsandbox."""

    env = EnvRecipe("ours", managers=("existing", "uv"))

    def run(self, eval_type, eval_obj=None, **kwargs):
        return str(self.environment.python)
'''


@pytest.fixture(autouse=True)
def parts(lab: Lab, store: Path, from_wheels: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DJSANDBOX_OFFLINE", raising=False)
    (lab.folder / "from.json").write_text(json.dumps(from_wheels))
    (lab.folder / "parts.py").write_text(WITH_ENVIRONMENT)


def evaluate(lab: Lab, kind: str = "InProcess", *, jobs: int = 1, **config: Any) -> str:
    """Write a config with as many jobs of one kind."""
    extra = {"type": f"./parts.py:{kind}", **config}
    job = {"hook": "EvaluateDataHook", "output": "said", "extra_configs": extra}
    named = [{**job, "meta_name": f"job{number}"} for number in range(jobs)]
    text = json.dumps({"evaluation_job_configs": named}, indent=1)
    return str(lab.write(text))


def said(lab: Lab, name: str = "job0") -> str:
    infos = json.loads((lab.work_dir / "context_infos.json").read_text())
    return str(next(info["said"] for info in infos["anonymous"] if info["meta_name"] == name))


def made() -> list[str]:
    return [entry.key.rpartition("-")[0] for entry in Store().entries()]


def test_tasks_run_in_the_environment_of_their_component(lab: Lab) -> None:
    job = {"hook": "TrainModelHook", "meta_name": "m", "output": "said", "extra_configs": {"type": "./parts.py:InTasks"}}
    lab.write(json.dumps({"execution_job_configs": [job]}))
    lab.run()
    path = Store().entries()[0].path
    infos = json.loads((lab.work_dir / "context_infos.json").read_text())
    assert infos["anonymous"][0]["said"] == [f"1.0 red {path}"] * 2


def test_what_runs_in_process_can_run_commands_in_its_environment(lab: Lab) -> None:
    evaluate(lab)
    lab.run()
    assert said(lab) == "1.0 red None"


def test_an_environment_is_made_once_for_all_jobs_that_want_it_and_the_journal_says_what_is_in_it(lab: Lab) -> None:
    evaluate(lab, jobs=3)
    lab.run()
    assert made() == ["small"]
    ready = [event for event in lab.journal() if event["event"] == "environment_ready"]
    assert [event["job_id"] for event in ready] == [f"anonymous/evaluation/{number}" for number in range(3)]
    assert ready[0]["packages"]["alpha"] == "1.0"
    assert {event["hash"] for event in ready} == {ready[0]["hash"]}


def test_the_config_changes_the_recipe_and_the_user_has_the_last_word(lab: Lab) -> None:
    params = {"requirements": ["alpha==2.0"], "variables": {"COLOUR": "green"}}
    evaluate(lab, colour="blue", env_manager="uv", env_name="mine", env_params=params)
    lab.run()
    assert said(lab) == "2.0 green 1"
    assert made() == ["mine"]


def test_another_environment_means_another_result_and_the_same_one_means_the_same(lab: Lab) -> None:
    evaluate(lab)
    lab.run()
    evaluate(lab, env_name="renamed")
    assert lab.run(resume=True).executed == ()
    evaluate(lab, env_params={"requirements": ["alpha==2.0"]})
    assert lab.run(resume=True).executed == ("anonymous/evaluation/0",)
    assert said(lab) == "2.0 red None"
    reason = [event["reason"] for event in lab.journal() if event["event"] == "job_started"][-1]
    assert "environment" in reason


def test_a_result_that_is_reused_needs_no_environment(lab: Lab) -> None:
    evaluate(lab)
    lab.run()
    Store().remove(Store().entries()[0])
    assert lab.run(resume=True).reused == ("anonymous/evaluation/0",)
    assert made() == []


def test_an_existing_environment_serves_where_the_user_names_it_or_the_recipe_allows_it(lab: Lab) -> None:
    evaluate(lab, "Ours")
    lab.run()
    assert said(lab) == sys.executable
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "mine"], check=True)
    evaluate(lab, "Ours", env_manager="existing", env_params={"path": "mine"})
    lab.run()
    assert said(lab) == str(lab.folder / "mine" / "bin" / "python")
    assert made() == []


def test_a_config_may_need_no_environment_at_all(lab: Lab) -> None:
    evaluate(lab, "Sometimes", colour="none")
    lab.run()
    assert said(lab) == "alone"
    assert made() == []


@pytest.mark.parametrize(
    ("config", "line", "message"),
    [
        ({"env_manager": "cargo"}, "env_manager", "cargo"),
        ({"env_params": {"requirement": []}}, '"requirement"', "did you mean 'requirements'"),
        ({"env_manager": "existing", "env_params": {"path": "nowhere"}}, '"path"', "no environment at"),
        ({"env_manager": "conda"}, "env_manager", "cannot be made by conda"),
        ({"env_mangaer": "uv"}, "env_mangaer", "did you mean 'env_manager'"),
    ],
)
def test_what_is_wrong_with_an_environment_is_said_by_validate_at_its_line(
    lab: Lab, config: dict[str, Any], line: str, message: str
) -> None:
    evaluate(lab, **config)
    with pytest.raises(ConfigError) as caught:
        djsandbox.validate("sandbox.yaml")
    [problem] = caught.value.problems
    assert message in str(problem)
    number = next(at for at, text in enumerate((lab.folder / "sandbox.yaml").read_text().splitlines(), 1) if line in text)
    assert (problem.where.file, problem.where.line) == ("sandbox.yaml", number)


def test_missing_programs_are_named_together_once_for_all_jobs_before_anything_is_made(lab: Lab) -> None:
    evaluate(lab, "Hungry", jobs=2)
    with pytest.raises(ConfigError) as caught:
        lab.run()
    assert [problem.message for problem in caught.value.problems] == [
        "the environment 'hungry' needs no-java, which is not installed, for scoring",
        "the environment 'hungry' needs no-ffmpeg, which is not installed, for fun",
    ]
    assert made() == []
    assert not lab.work_dir.exists()


def test_who_brings_an_environment_is_only_warned_of_missing_programs(lab: Lab) -> None:
    evaluate(lab, "Hungry", env_manager="existing")
    warnings = djsandbox.validate("sandbox.yaml")
    assert [problem.severity for problem in warnings] == ["warning"] * 2


def test_a_recipe_that_no_plugin_brings_is_said_by_validate(lab: Lab) -> None:
    evaluate(lab, "ByName")
    with pytest.raises(ConfigError, match="unknown environment recipe 'interval'"):
        djsandbox.validate("sandbox.yaml")


def test_a_component_with_a_recipe_takes_the_keys_of_environments(lab: Lab) -> None:
    evaluate(lab, "Plain")
    with pytest.raises((PluginError, ConfigError), match="its Config is no EnvConfig"):
        djsandbox.validate("sandbox.yaml")


def test_an_environment_that_cannot_be_made_fails_its_job_and_says_why(lab: Lab) -> None:
    evaluate(lab, "Impossible")
    with pytest.raises(JobFailed) as caught:
        lab.run()
    assert "anonymous/evaluation/0" in str(caught.value)
    assert "nowhere" in str(caught.value)
    assert lab.journal()[-1]["status"] == "failed"


def test_whatever_goes_wrong_while_an_environment_is_made_is_a_failure_of_its_job(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").touch()
    monkeypatch.setenv("DJSANDBOX_ENVS", str(tmp_path / "a file"))
    evaluate(lab)
    with pytest.raises((JobFailed, ConfigError), match="a file"):
        lab.run()
    kinds = [event["event"] for event in lab.journal()] if lab.work_dir.exists() else []
    assert "job_started" not in kinds or "job_failed" in kinds


def test_the_plan_says_which_environment_a_job_runs_in_and_whether_it_is_there(lab: Lab) -> None:
    evaluate(lab)

    def shown() -> str:
        [job] = djsandbox.plan("sandbox.yaml").jobs
        return str(job.planned.parts[0].environment.shown())

    assert shown() == "small (to be made)"
    lab.run()
    assert shown() == "small (uv)"


def test_an_environment_cannot_be_removed_while_a_job_runs_in_it(lab: Lab) -> None:
    (lab.folder / "parts.py").write_text(
        f"{WITH_ENVIRONMENT}\n\nclass Remover(InProcess):\n"
        '    """Tries to remove what it runs in."""\n\n'
        "    def run(self, eval_type, eval_obj=None, **kwargs):\n"
        "        from djsandbox.envs.store import Store\n"
        "        try:\n"
        "            Store().remove(Store().entries()[0])\n"
        "        except Exception as error:\n"
        "            return str(error)\n"
    )
    evaluate(lab, "Remover")
    lab.run()
    assert "is in use" in said(lab)
    Store().remove(Store().entries()[0])


def test_on_its_own_a_component_is_given_an_environment(lab: Lab, from_wheels: tuple[str, ...]) -> None:
    from djsandbox.plugins.local import import_file
    from djsandbox.plugins.sources import source_digest

    file = lab.folder / "parts.py"
    component_class = import_file(file, source_digest(file, "parts")).InProcess
    component = component_class(component_class.Config())
    with pytest.raises(ComponentError, match="has no environment here"):
        component.run("data")
    component.attach(JobContext(environment=environment_for(component.env)))
    assert component.run("data") == "1.0 red None"
