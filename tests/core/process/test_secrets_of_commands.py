from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from djsandbox.process.command import Command
from djsandbox.process.failures import ProcessFailed, ProcessStopped
from djsandbox.process.running import run, start

SECRET = "s3cret-value"


@pytest.mark.parametrize(
    ("argv", "shown"),
    [
        (("p", "--api-key", SECRET, "x"), ("p", "--api-key", "***", "x")),
        (("p", f"--api_key={SECRET}"), ("p", "--api_key=***")),
        (("p", "--token", "ab"), ("p", "--token", "***")),
        (("p", f"trainer.hf_token={SECRET}"), ("p", "trainer.hf_token=***")),
        (("p", f"HF_TOKEN={SECRET}"), ("p", "HF_TOKEN=***")),
        (("p", "--api-key", SECRET, f"again-{SECRET}"), ("p", "--api-key", "***", "again-***")),
        (("p", f"https://me:{SECRET}@host/x"), ("p", "https://me:***@host/x")),
        (("p", "--use-auth-token", "--epochs", "3"), ("p", "--use-auth-token", "--epochs", "3")),
        (("p", "--max-tokens", "512", "--text-key=text"), ("p", "--max-tokens", "512", "--text-key=text")),
        (("p", "--token", f"-{SECRET}"), ("p", "--token", "***")),
        (("sh", "-c", f"HF_HOME=/x HF_TOKEN='{SECRET}' run"), ("sh", "-c", "HF_HOME=/x HF_TOKEN='***' run")),
        (("p", "--header", f"Authorization: Bearer {SECRET}"), ("p", "--header", "Authorization: Bearer ***")),
        (("p", "a", "b=c", "="), ("p", "a", "b=c", "=")),
    ],
)
def test_secret_arguments_are_not_shown(argv: tuple[str, ...], shown: tuple[str, ...]) -> None:
    command = Command(argv)
    assert command.shown_argv() == shown
    assert SECRET not in repr(command)


def test_a_secret_is_not_shown_as_json_spells_it_either() -> None:
    secret = 'quo"ted\\secret'
    command = Command(("p", json.dumps({"value": secret})), hidden=frozenset({secret}))
    assert command.shown_argv() == ("p", '{"value": "***"}')


def test_the_environment_is_not_shown() -> None:
    assert SECRET not in repr(Command(("p",), env={"HF_TOKEN": SECRET, "OTHER": SECRET}))


def test_secrets_reach_the_command_but_neither_log_nor_lines_nor_error_nor_result(tmp_path: Path) -> None:
    lines: list[str] = []
    env = {"PATH": "/usr/bin:/bin", "MY_TOKEN": SECRET, "SSH_KEY": "first-line\nsecond-line"}
    code = 'echo "$MY_TOKEN"; echo "$SSH_KEY"; echo "arg $2"; echo ${#MY_TOKEN}; echo http://u:hidden@h; exit 1'
    command = Command(("sh", "-c", code, "sh", "--api-key", "another-secret"), env=env, log_file=tmp_path / "log")
    with pytest.raises(ProcessFailed) as failed:
        run(command, lines.append)
    wanted = ["***", "***", "***", "arg ***", str(len(SECRET)), "http://u:***@h"]
    assert lines == wanted
    assert (tmp_path / "log").read_text().splitlines() == wanted
    everywhere = str(failed.value) + repr(failed.value.completed)
    assert not [text for text in (SECRET, "first-line", "second-line", "another-secret", "hidden") if text in everywhere]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_secrets_are_not_in_the_process_listing_of_the_supervisor() -> None:
    seen: list[str] = []

    def look(supervisor: str) -> None:
        seen.extend(Path(f"/proc/{supervisor}/{file}").read_text() for file in ("cmdline", "environ"))
        running.stop()

    argv = ("sh", "-c", "echo $PPID; exec sleep 1000", "sh", "--api-key", SECRET)
    running = start(Command(argv, env={"PATH": "/usr/bin:/bin", "A_KEY": SECRET}), look)
    with pytest.raises(ProcessStopped):
        running.wait()
    assert "supervisor.py" in seen[0]
    assert SECRET not in "".join(seen)
