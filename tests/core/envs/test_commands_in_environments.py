from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path

import pytest
from djsandbox.envs import Env, VirtualEnv
from djsandbox.envs.activation import search_path
from djsandbox.errors import ConfigError
from djsandbox.process.failures import ProcessFailed, ProcessNotStarted, ProcessTimedOut

SAY_ARGV = "import json, sys; print(json.dumps(sys.argv[1:]))"


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Env:
    folder = tmp_path_factory.mktemp("envs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJSANDBOX_ENVS", str(folder / "store"))
        made = VirtualEnv(env_name=str(folder / "it's an env"), env_manager="uv")
        made.create()
    return made


def test_arguments_arrive_unchanged(env: Env, hostile: list[str]) -> None:
    done = env.run_cmd(["python", "-c", SAY_ARGV, *hostile], on_line=None)
    assert json.loads(done.last_lines[0]) == hostile


def test_values_of_variables_arrive_unchanged(env: Env, hostile: list[str]) -> None:
    given = {f"MY_{number}": text for number, text in enumerate(hostile)}
    code = "import json, os; print(json.dumps({k: v for k, v in os.environ.items() if k.startswith('MY_')}))"
    done = env.run_cmd(["python", "-c", code], env=given, on_line=None)
    assert json.loads(done.last_lines[0]) == given


def test_a_text_is_run_by_bash_with_the_environment_active(env: Env) -> None:
    text = """[[ "$(which python)" == "$VIRTUAL_ENV/bin/python" ]] && echo "it's ${BASH_VERSION%%.*}" &&
        python -c 'import sys; print(sys.prefix)'"""
    done = env.run_cmd(text, on_line=None)
    assert done.last_lines[0].startswith("it's ")
    assert done.last_lines[1] == str(env.path)


def test_quotes_in_a_text_mean_what_they_mean_in_a_shell(env: Env) -> None:
    done = env.run_cmd("""printf '%s\\n' 'a  b' "it's" \\$HOME '`id`'""", on_line=None)
    assert done.last_lines == ("a  b", "it's", "$HOME", "`id`")


def test_without_bash_a_text_is_run_by_sh(env: Env, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs" / "ls").symlink_to("/bin/ls")
    monkeypatch.setenv("PATH", str(tmp_path / "programs"))
    done = env.run_cmd("python -c 'print(1)'; echo \"[$BASH_VERSION]\"", on_line=None)
    assert done.argv[0] == "/bin/sh"
    assert done.last_lines[0] == "1"


def test_an_exit_code_is_an_error_or_a_result(env: Env) -> None:
    with pytest.raises(ProcessFailed, match="exit code 7") as caught:
        env.run_cmd("echo why; exit 7", on_line=None)
    assert "why" in str(caught.value)
    assert env.run_cmd("exit 7", check=False, on_line=None).returncode == 7
    assert env.run_cmd(["python", "-c", "import sys; sys.exit(9)"], check=False, on_line=None).returncode == 9


def test_lines_are_shown_while_the_command_runs_and_kept_in_a_log(
    env: Env, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    go, seen = tmp_path / "go", threading.Event()
    code = f"import os, time\nprint('first')\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)\nprint('last')"
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        seen.set()
        go.touch()  # the command ends only because its first line has come

    env.run_cmd(["python", "-c", code], on_line=on_line, log_file=tmp_path / "logs" / "a.log")
    assert lines == ["first", "last"]
    assert (tmp_path / "logs" / "a.log").read_text() == "first\nlast\n"
    env.run_cmd("echo shown")
    assert capsys.readouterr().out == "shown\n"


def test_a_command_runs_where_it_is_told_to_and_not_for_too_long(env: Env, tmp_path: Path) -> None:
    assert env.run_cmd("pwd", cwd=tmp_path, on_line=None).last_lines == (str(tmp_path),)
    with pytest.raises(ProcessTimedOut):
        env.run_cmd("sleep 600", timeout=0.2, on_line=None)


def test_what_binds_us_to_our_python_is_not_passed_on(env: Env, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("CONDA_PREFIX", "/nowhere")
    monkeypatch.setenv("MY_TOKEN", "secret-value")
    said = env.run_cmd("echo [$PYTHONPATH$CONDA_PREFIX$MY_TOKEN]", on_line=None)
    assert said.last_lines == ("[]",)
    kept = env.run_cmd('test "$MY_TOKEN" = secret-value && echo $MY_TOKEN', keep_env=["MY_TOKEN"], on_line=None)
    assert kept.last_lines == ("***",)


def test_programs_of_the_environment_we_run_in_are_nobody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", "/ours")
    monkeypatch.setenv("PATH", os.pathsep.join(("/ours/bin", "/usr/bin", "/ours/bin/", "/bin")))
    assert search_path() == os.pathsep.join(("/usr/bin", "/bin"))


def test_what_cannot_be_started_is_told(env: Env) -> None:
    with pytest.raises(ProcessNotStarted, match="no-such-program was not found"):
        env.run_cmd(["no-such-program"])
    with pytest.raises(ConfigError, match="no command"):
        env.run_cmd("  ")
