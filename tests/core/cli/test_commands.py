import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from djsandbox.cli.main import call

CONFIG = """
evaluation_job_configs:
  - {hook: EvaluateDataHook, meta_name: m, output: a, extra_configs: {type: "./parts.py:Give"}}
"""
PARTS = '''
from djsandbox import BaseEvaluator, ComponentConfig


class Give(BaseEvaluator):
    """Gives a value.

    And a table.
    """

    class Config(ComponentConfig):
        value: int = 3

    def run(self, eval_type, eval_obj=None, **kwargs):
        if self.config.value < 0:
            raise ValueError("negative")
        self.watcher.watch_table("Values", ["name", "value"], [["数据", 1.23456], ["b", 10]], ["a note"])
        return self.config.value
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts.py").write_text(PARTS)
    (tmp_path / "c.yaml").write_text(CONFIG)
    return tmp_path


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["plugins", "list"]])
def test_help_version_and_the_list_of_plugins_import_nothing_heavy(arguments: list[str]) -> None:
    heavy = ["yaml", "pydantic", "stevedore", "pluggy", "datasets", "data_juicer", "sklearn", "numpy"]
    code = f"""
import sys
from djsandbox.cli.main import call
code = call({arguments!r})
loaded = [name for name in {heavy!r} if name in sys.modules]
sys.exit(f"loaded {{loaded}}" if loaded else code)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_run_prints_its_progress_to_stderr_and_its_tables_to_stdout(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["run", "c.yaml"]) == 0
    printed = capsys.readouterr()
    assert printed.err.startswith("[1/1] m (EvaluateDataHook: ./parts.py:Give)")
    assert "1 job run, 0 reused" in printed.err
    assert printed.out.splitlines() == [
        "",
        "Values",
        "name  value",
        "----  -----",
        "数据  1.235",
        "b        10",
        "a note",
    ]


def test_quiet_prints_the_tables_only(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["run", "c.yaml", "--quiet"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "数据" in printed.out


def test_json_is_the_only_thing_on_stdout(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["run", "c.yaml", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["executed"] == ["anonymous/evaluation/0"]
    assert result["context_infos"] == {"anonymous": [{"meta_name": "m", "a": 3}]}


def test_a_failed_job_shows_its_cause_and_log_but_no_traceback_and_ends_with_1(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["run", "c.yaml", "--set", "m.extra_configs.value=-1"]) == 1
    printed = capsys.readouterr().err
    assert "c.yaml:3: error: job anonymous/evaluation/0 failed: ValueError: negative" in printed
    assert "details: outputs/hello_world/logs/anonymous/evaluation/0/run_0001.log" in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize("switch", [["--resume"], ["--resume", "true"], ["--resume=true"]])
def test_resume_stands_alone_or_takes_a_value_as_the_existing_starter_has_it(
    folder: Path, capsys: pytest.CaptureFixture[str], switch: list[str]
) -> None:
    assert call(["run", *switch, "--config", "c.yaml"]) == 0
    assert call(["run", *switch, "c.yaml"]) == 0
    assert "0 jobs run, 1 reused" in capsys.readouterr().err


def test_global_keys_are_options(folder: Path) -> None:
    assert call(["run", "--config", "c.yaml", "--work_dir", "w", "--project_name", "p", "--max_iter_num", "1"]) == 0
    assert (folder / "w" / "context_infos.json").exists()


def test_validate_says_that_a_config_is_valid(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["validate", "c.yaml"]) == 0
    assert capsys.readouterr().out == "c.yaml is valid: 1 job in 1 pipeline\n"
    assert not (folder / "outputs").exists()


def test_validate_gives_problems_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "c.yaml").write_text("evaluation_job_configs: [{hok: X}]")
    assert call(["validate", "c.yaml", "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert not found["valid"]
    assert [(item["file"], item["line"], item["severity"]) for item in found["problems"]] == [("c.yaml", 1, "error")]


def test_plan_shows_each_job(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["plan", "c.yaml", "--json"]) == 0
    (job,) = json.loads(capsys.readouterr().out)["jobs"]
    assert (job["job"], job["action"], job["why"]) == ("anonymous/evaluation/0", "run", "resume is off")
    assert call(["plan", "c.yaml"]) == 0
    assert "anonymous/evaluation/0  m" in capsys.readouterr().out


def test_context_shows_what_was_produced(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["run", "c.yaml", "--quiet"]) == 0
    capsys.readouterr()
    for place in ("c.yaml", "outputs/hello_world"):
        assert call(["context", place]) == 0
        assert "a: 3" in capsys.readouterr().out
    assert call(["context", "c.yaml", "anonymous.m.a"]) == 0
    assert capsys.readouterr().out == "3\n"
    assert call(["context", "c.yaml", "anonymous.m.b"]) == 1
    assert "'b'" in capsys.readouterr().err


def test_a_recipe_of_the_same_name_is_not_taken_for_the_component(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["components", "show", "easyanimate", "--json"]) == 0
    assert {found["group"] for found in json.loads(capsys.readouterr().out)} == {
        "model_infer_executors",
        "model_train_executors",
    }


def test_components_are_listed_with_the_package_that_brings_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["components", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    hook = next(row for row in rows if row["type"] == "TrainModelHook")
    assert (hook["group"], hook["package"], hook["description"]) == (
        "job_hooks",
        "djsandbox",
        "Train a model on the current data.",
    )
    assert call(["components", "list", "--group", "data_evaluator"]) == 2
    assert call(["components", "list", "data_evaluator"]) == 2
    assert "data_evaluators" in capsys.readouterr().err


def test_a_component_is_shown_with_its_keys(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["components", "show", "./parts.py:Give"]) == 0
    printed = capsys.readouterr().out
    assert "And a table." in printed
    assert "value  whole number  3" in printed
    assert call(["components", "show", "TrainModelHok"]) == 2
    assert "did you mean 'TrainModelHook'?" in capsys.readouterr().err


def test_plugins_can_be_shown_and_examined(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["plugins", "show", "djsandbox"]) == 0
    assert "job_hooks" in capsys.readouterr().out
    assert call(["plugins", "show", "djsandbo"]) == 2
    assert "did you mean 'djsandbox'?" in capsys.readouterr().err
    assert call(["plugins", "doctor"]) == 0
    assert "0 broken" in capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_complete_djsandbox(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    assert call(["completion", shell]) == 0
    assert "_DJSANDBOX_COMPLETE" in capsys.readouterr().out


def test_completion_knows_the_commands() -> None:
    environment = {**os.environ, "_DJSANDBOX_COMPLETE": "bash_complete", "COMP_WORDS": "djsandbox va", "COMP_CWORD": "1"}
    program = [sys.executable, "-c", "from djsandbox.cli.main import main; main()"]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "plain,validate\n"


def test_a_reader_that_goes_away_is_no_failure(folder: Path) -> None:
    program = f"{sys.executable} -m djsandbox run c.yaml --set m.extra_configs.value=5 | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0"
    assert "Traceback" not in done.stderr


def test_json_has_the_tables_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["run", "c.yaml", "--json"]) == 0
    (table,) = json.loads(capsys.readouterr().out)["tables"]
    assert (table["title"], table["rows"]) == ("Values", [["数据", 1.23456], ["b", 10]])
