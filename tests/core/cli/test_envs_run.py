"""`djsandbox envs run`: the command takes the place of djsandbox."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from djsandbox.envs.store import Store

pytestmark = pytest.mark.usefixtures("recipes_of_mine")
RunIn = Callable[..., Any]


def test_arguments_output_errors_and_the_exit_code_pass_through_unchanged(told: Callable[..., Any], run_in: RunIn) -> None:
    told("create", "small")
    code = "import sys; print(sys.argv[1:], end=''); sys.stderr.write('oh'); sys.exit(7)"
    done = run_in("small", "--", "python", "-c", code, "it's", "--json", "$HOME", "a\nb", "")
    assert done.returncode == 7
    assert (done.stdout, done.stderr) == (str(["it's", "--json", "$HOME", "a\nb", ""]), "oh")


def test_standard_input_reaches_the_command(told: Callable[..., Any], run_in: RunIn) -> None:
    told("create", "small")
    done = run_in("small", "--", "python", "-c", "import sys; print(sys.stdin.read()[::-1])", input="ab\ncd")
    assert done.stdout == "dc\nba\n"
    assert (
        run_in("small", "--", "python", "-", input="import sys; print(sys.prefix)").stdout.strip()
        == told("show", "small")["environment"]["path"]
    )


def test_the_command_is_the_process_that_was_started_so_that_signals_reach_it(told: Callable[..., Any], tmp_path: Path) -> None:
    told("create", "small")
    argv = [sys.executable, "-m", "djsandbox", "envs", "run", "small", "--", "python", "-c"]
    code = "import os, signal; print(os.getpid(), flush=True); signal.pause()"
    with subprocess.Popen([*argv, code], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None and int(running.stdout.readline()) == running.pid
        running.send_signal(signal.SIGTERM)
    assert running.returncode == -signal.SIGTERM
    (entry,) = Store().entries()
    assert not entry.is_busy


def test_variables_with_the_names_of_secrets_reach_the_command(told: Callable[..., Any], run_in: RunIn) -> None:
    told("create", "secret")
    kept = (Store().entries()[0].folder / "ready.json").read_text()
    assert "of the recipe" not in kept and "pass@" not in kept
    show = "import os; print(os.environ.get('OUR_TOKEN'), os.environ.get('INDEX'))"
    assert run_in("secret", "--", "python", "-c", show).stdout == "of the recipe http://me:pass@host/\n"


def test_a_secret_that_env_params_gave_is_taken_from_our_own_variables_or_said_to_be_missing(
    told: Callable[..., Any], run_in: RunIn
) -> None:
    told("create", "small", "--param", "variables.MY_TOKEN=first")
    show = "import os; print(os.environ.get('MY_TOKEN'), os.environ['MY_FLAG'])"
    without = {name: value for name, value in os.environ.items() if name != "MY_TOKEN"}
    done = run_in("small", "--", "python", "-c", show, env=without)
    assert done.stdout == "None it's on\n"
    assert "warning: MY_TOKEN is not set" in done.stderr and "MY_TOKEN=... djsandbox envs run" in done.stderr
    done = run_in("small", "--", "python", "-c", show, env={**without, "MY_TOKEN": "second"})
    assert (done.stdout, done.stderr) == ("second it's on\n", "")


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (["no-such-program"], 1, "no-such-program was not found on the PATH"),
        ([""], 2, "name a command"),
        ([], 2, "name a command"),
    ],
)
def test_what_is_no_command_is_told(command: list[str], code: int, said: str, told: Callable[..., Any], run_in: RunIn) -> None:
    told("create", "small")
    done = run_in("small", "--", *command)
    assert done.returncode == code
    assert said in done.stderr and "Traceback" not in done.stderr
