"""What is known of W&B before a run, without importing its library."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import djsandbox
import pytest
from djsandbox.config.sweep_file import read_sweep
from djsandbox.errors import ConfigError
from djsandbox_wandb.account import has_key, mode, server, website
from djsandbox_wandb.sweeper import WandbSweeper, sweep_of
from djsandbox_wandb.tracker import project_name

Lab = Callable[..., Path]
NAME = "demo.measure.extra_configs.x"


def sweep(text: str = "{min: 0.0, max: 4.0}") -> Path:
    file = Path("sweep.yaml")
    file.write_text(f"method: random\nrun_cap: 2\nmetric: {{name: demo.measure.square}}\nparameters: {{{NAME}: {text}}}\n")
    return file


def test_validate_plan_and_help_import_no_wandb(lab: Lab, logged_in: object) -> None:
    sweep()
    file = lab("tracker: wandb", "hpo_config: sweep.yaml", "hpo_backend: wandb")
    code = "import sys, djsandbox; djsandbox.plan(sys.argv[1]); print('wandb' in sys.modules, 'yaml' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False True"


def test_a_sweep_of_wandbs_own_says_at_validate_what_it_needs(lab: Lab) -> None:
    sweep()
    file = lab("hpo_config: sweep.yaml", "hpo_backend: wandb")

    with pytest.raises(ConfigError) as raised:
        djsandbox.validate(file)

    (problem,) = raised.value.problems
    assert str(problem.where) == f"{file}:5"
    assert problem.message == "W&B's own sweep needs a login at http://127.0.0.1:9, and there is no API key"
    assert problem.fix is not None and "wandb login" in problem.fix and "djsandbox-optuna" in problem.fix


def test_a_sweep_of_wandbs_own_is_refused_where_wandb_is_to_be_offline(
    lab: Lab, logged_in: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep()
    monkeypatch.setenv("WANDB_MODE", "offline")

    with pytest.raises(ConfigError, match="WANDB_MODE is 'offline'"):
        djsandbox.validate(lab("hpo_config: sweep.yaml", "hpo_backend: wandb"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("tracker: {type: wandb, mode: onlin}", "sandbox.yaml:4: 'mode' must be 'auto', 'online' or 'offline', not 'onlin'"),
        ("tracker: {type: wandb, entitiy: me}", "sandbox.yaml:4: unknown key 'entitiy'\n    did you mean 'entity'?"),
        ("tracker: {type: wandb, mode: online}", "'mode: online' needs a W&B key for http://127.0.0.1:9, and there is none"),
        ("tracker: wandbb", "unknown tracker 'wandbb'\n    did you mean 'wandb'?"),
    ],
)
def test_wrong_options_of_the_tracker_are_found_with_their_place(lab: Lab, line: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        djsandbox.validate(lab(line))

    assert said in str(raised.value)


def test_a_key_is_found_where_wandb_looks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not has_key()
    (tmp_path / "home" / ".netrc").write_text("machine 127.0.0.1:9\n  login user\n  password 0123456789\n")
    assert has_key()
    (tmp_path / "home" / ".netrc").write_text("machine api.wandb.ai\n  login user\n  password 0123456789\n")
    assert not has_key()
    monkeypatch.delenv("WANDB_BASE_URL")
    assert has_key()
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    assert not has_key()
    monkeypatch.setenv("WANDB_API_KEY", "x")
    assert has_key()


def test_the_server_is_the_one_that_wandb_login_wrote_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_BASE_URL")
    assert (server(), website()) == ("https://api.wandb.ai", "https://wandb.ai")
    folder = tmp_path / "home" / ".config" / "wandb"
    folder.mkdir(parents=True)
    (folder / "settings").write_text("[default]\nbase_url = https://wandb.my.org\n")
    assert (server(), website()) == ("https://wandb.my.org", "https://wandb.my.org")


def test_the_mode_follows_the_options_the_key_and_wandbs_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mode("auto") == ("offline", "there is no API key (wandb login)")
    monkeypatch.setenv("WANDB_API_KEY", "x")
    assert mode("auto") == ("online", "")
    assert mode("offline")[0] == "offline"
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert (mode("auto"), mode("online")) == (("offline", "WANDB_MODE=offline"), ("online", ""))
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert mode("online")[0] == "disabled"


def test_project_names_are_made_such_as_wandb_takes() -> None:
    assert project_name("a/b: c?#%\\d") == "a-b- c----d"
    assert len(project_name("x" * 200)) == 128


@pytest.mark.parametrize(
    ("written", "given"),
    [
        ("{value: [1, 2]}", {"value": [1, 2]}),
        ("{values: [1.0, 2.0]}", {"distribution": "categorical", "values": [1.0, 2.0]}),
        ("{min: 1, max: 3}", {"distribution": "int_uniform", "min": 1, "max": 3}),
        (
            "{distribution: q_log_uniform_values, min: 1, max: 64}",
            {"distribution": "q_log_uniform_values", "min": 1, "max": 64, "q": 1},
        ),
        ("{distribution: normal}", {"distribution": "normal", "mu": 0.0, "sigma": 1.0}),
    ],
)
def test_the_server_is_given_the_space_with_all_that_the_file_leaves_to_be_understood(
    lab: Lab, written: str, given: object
) -> None:
    found = read_sweep(sweep(written), [])
    assert found is not None

    made = sweep_of(found, "first")

    assert json.loads(json.dumps(made)) == {
        "name": "first",
        "method": "random",
        "metric": {"name": "demo.measure.square", "goal": "minimize"},
        "parameters": {NAME: given},
    }


@pytest.mark.parametrize(
    ("written", "from_server", "value"),
    [
        ("{min: 0.0, max: 4.0}", 4.0000000001, 4.0),
        ("{distribution: q_uniform, min: 0.0, max: 1.0, q: 0.1}", 0.30000000000000004, 0.3),
        ("{distribution: q_log_uniform_values, min: 3, max: 64, q: 2}", 2, 4),
        ("{min: 1, max: 3}", 3, 3),
        ("{values: [a, b]}", "b", "b"),
    ],
)
def test_values_of_the_server_become_such_as_the_file_gives(lab: Lab, written: str, from_server: object, value: object) -> None:
    found = read_sweep(sweep(written), [])
    assert found is not None
    made = WandbSweeper(WandbSweeper.Config(), found, Path("record"))._value(found.parameters[0], {NAME: from_server})

    assert made == value and found.parameters[0].admits(made)
