"""What has failed is answered with what is known of it, whatever it was, and whatever plugins do."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from djsandbox.engine.diagnosis.explaining import explain
from djsandbox.engine.diagnosis.searcher import TAIL
from djsandbox.errors import ComponentError, Evidence, JobFailed
from djsandbox.plugins.index import plugin_index

Lab = Any
Plugin = Callable[..., None]

JAVA = "known error: java is missing"
NO_JAVA = "echo \"sh: 1: ja\"'va: not found'"
"""Prints what is recognised without containing it, as no argument of a command should be taken for output."""

MINE = """
from djsandbox import KnownError

TEAPOT = KnownError("it is a teapot", "I'm a (tea)pot", "One cannot brew coffee in it.", "Make tea.")
BOTH = [TEAPOT, KnownError("it is cold", "(?i)brrr+", "Winter has come.", "Light a fire.")]
SLOW = KnownError("it takes for ever", "(a+)+$", "The pattern backtracks.", "Mend it.")
STRANGE = {"pattern": "x"}
EMPTY = ()
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plugin]:
    """`plugin(teapot="mine:TEAPOT")` installs a distribution with these entry points; `mine` and `broken` are its modules."""
    site = tmp_path / "site"

    def install(**entry_points: str) -> None:
        info = site / "errors_of_mine-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: errors-of-mine\nVersion: 1.0\n")
        lines = "".join(f"{name} = {value}\n" for name, value in entry_points.items())
        (info / "entry_points.txt").write_text(f"[djsandbox.known_errors]\n{lines}")
        (site / "mine.py").write_text(MINE)
        (site / "broken.py").write_text("1 / 0")
        monkeypatch.syspath_prepend(site)
        plugin_index.cache_clear()

    yield install
    plugin_index.cache_clear()
    sys.modules.pop("mine", None)


def failure(lab: Lab) -> str:
    with pytest.raises(JobFailed) as failed:
        lab.run()
    return str(failed.value)


def said_in_process(lab: Lab, printed: str) -> None:
    """A config whose one job prints and then fails in our own process."""
    lab.edit_parts('print("printed before the end")', f"print({printed!r})")
    lab.write('evaluation_job_configs: [{hook: EvaluateDataHook, extra_configs: {type: "./parts.py:Fail"}}]')


# -- what can fail -----------------------------------------------------------------------------------------------------------


def test_a_failed_task_is_answered_with_the_line_the_cause_and_the_remedy(lab: Lab) -> None:
    lab.shell(f"echo tokenization...; {NO_JAVA}; echo done; exit 3", names=["a"])
    text = failure(lab)
    told = text[text.index(JAVA) :].splitlines()
    assert told[1].strip() == "sh: 1: java: not found"
    assert told[2].strip().startswith("why: ") and "Java program" in told[2]
    assert told[3].strip().startswith("what to do: Install a Java runtime")
    assert "details: " in told[4]
    assert lab.journal()[-2]["error"] == text


@pytest.mark.parametrize("ending", ["true", "mkdir $1"], ids=["missing", "an empty folder"])
def test_a_task_that_ends_well_without_its_outputs_is_answered_too(lab: Lab, ending: str) -> None:
    lab.shell(f"{NO_JAVA}; {ending}", names=["a"])
    assert JAVA in failure(lab)


def test_a_result_that_cannot_be_read_is_answered_by_what_is_said_of_it(lab: Lab) -> None:
    text = (lab.folder / "shell.py").read_text()
    odd = 'raise FileNotFoundError(2, "No such file or directory", "java")'
    (lab.folder / "shell.py").write_text(text.replace('raise ValueError("this is no model")', odd))
    lab.shell("echo rubbish > $1", names=["a"])
    assert JAVA in failure(lab)


def test_a_job_that_fails_in_our_own_process_is_answered_from_its_log(lab: Lab) -> None:
    said_in_process(lab, "computing METEOR score...\njava: command not found")
    text = failure(lab)
    assert "RuntimeError: the disk is on fire" in text and JAVA in text


def test_a_traceback_is_read_as_what_was_printed(lab: Lab) -> None:
    lab.edit_parts('"the disk is on fire"', '"CUDA out of " + "memory. Tried to allocate 2.00 GiB"')
    said_in_process(lab, "x")
    text = failure(lab)
    assert "known error: the GPU has too little free memory\n        RuntimeError: CUDA out of memory. Tried" in text


def test_an_environment_that_cannot_be_made_is_answered_from_the_log_of_making_it(lab: Lab, store: Path) -> None:
    recipe = "EnvRecipe('small', managers=('uv',), check=('python', '-c', \"print('nvcc: not ' + 'found'); exit(3)\"))"
    (lab.folder / "with_env.py").write_text(
        "from djsandbox import BaseEvaluator, EnvConfig, EnvRecipe\n"
        "class Needs(BaseEvaluator):\n    env = " + recipe + "\n    class Config(EnvConfig):\n        pass\n"
        "    def run(self, eval_type, eval_obj=None, **kwargs):\n        return 1\n"
    )
    lab.write('evaluation_job_configs: [{hook: EvaluateDataHook, extra_configs: {type: "./with_env.py:Needs"}}]')
    text = failure(lab)
    assert "could not be made" in text
    assert "known error: nvcc, the CUDA compiler, is missing\n        nvcc: not found" in text


def test_a_command_that_a_job_runs_in_its_own_process_is_answered_from_the_log_of_the_command(lab: Lab) -> None:
    lab.edit_parts(
        'raise RuntimeError("the disk is on fire")',
        "from djsandbox.process.command import Command\n        from djsandbox.process.running import run\n"
        '        run(Command(("sh", "-c", "echo ja\'va: not found\'; yes x | head -n 100; exit 3"), log_file=Path("own.log")))',
    )
    said_in_process(lab, "x")
    assert f"{JAVA}\n        java: not found" in failure(lab)


# -- what is told ------------------------------------------------------------------------------------------------------------


def test_all_that_match_are_told_in_the_order_of_the_log_and_each_once(lab: Lab) -> None:
    lab.shell(f"echo 'Too many open' files; {NO_JAVA}; echo No space 'left on device'; {NO_JAVA}; exit 3", names=["a"])
    text = failure(lab)
    told = [line.strip().removeprefix("known error: ") for line in text.splitlines() if "known error" in line]
    assert told == ["too many open files", "java is missing", "the disk is full"]


def test_what_several_tasks_fail_with_is_told_once_and_what_one_of_them_fails_with_is_told_with_its_name(lab: Lab) -> None:
    own = "[ $0 = c ] && echo No space 'left on device'"
    lab.shell(f"{NO_JAVA}; {own}; exit 3", on_failure="finish_others", launcher={"max_parallel": 1})
    text = failure(lab)
    assert text.count("java is missing") == 1
    assert "known error (task 'a'): java is missing" in text
    assert "known error (task 'c'): the disk is full" in text


def test_of_several_tries_the_last_one_counts(lab: Lab) -> None:
    lab.shell(
        f"[ -e tried ] || {{ touch tried; {NO_JAVA}; exit 3; }}; echo No space 'left on device'; exit 3", names=["a"], retries=1
    )
    text = failure(lab)
    assert "the disk is full" in text and "java" not in text


def test_a_failure_that_nobody_knows_is_told_as_it_is(lab: Lab) -> None:
    lab.shell("echo something strange; exit 3", names=["a"])
    text = failure(lab)
    assert "something strange" in text and "known error" not in text


def test_secrets_are_hidden_in_the_line_that_is_quoted(lab: Lab) -> None:
    lab.edit_parts('note("fail")', "print('https://me:swordfish-4@x.org ' + self.config.api_key + ' java: not found')")
    lab.edit_parts('"""Raises."""', '"""Raises."""\n\n    class Config(ComponentConfig):\n        api_key: str = ""')
    job = '{hook: EvaluateDataHook, extra_configs: {type: "./parts.py:Fail", api_key: swordfish-3}}'
    lab.write(f"evaluation_job_configs: [{job}]")
    text = failure(lab)
    assert f"{JAVA}\n        https://me:***@x.org *** java: not found" in text
    assert "swordfish" not in text


def told_of(*lines: str, log: Path | None = None) -> str:
    """What an error is answered with that left these lines, or this log."""
    error = ComponentError("it failed", fix="think")
    error.evidence = (Evidence(None if log is None else str(log), lines),)
    explain(error)
    assert error.problems[0].message == "it failed" and error.evidence == ()
    fix = str(error.problems[0].fix)
    assert fix.endswith("think")
    return fix.removesuffix("think").rstrip()


def test_an_error_is_explained_once_however_often_it_is_passed_on() -> None:
    error = ComponentError("it failed")
    error.evidence = (Evidence(None, ("java: not found",)),)
    explain(error)
    explain(error)
    assert str(error).count("java is missing") == 1


def test_long_lines_are_quoted_around_what_was_recognised_and_without_control_characters() -> None:
    quoted = told_of(f"{'x' * 1000} \x07\x1b[31mjava\x1b[0m: not found {'y' * 1000}").splitlines()[1].strip()
    assert quoted.startswith("... x") and quoted.endswith("y ...") and " java: not found y" in quoted
    assert quoted.isprintable() and len(quoted) < 400


# -- what is read ------------------------------------------------------------------------------------------------------------


def test_only_the_end_of_a_large_log_is_read(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    noise = b"{'loss': 2.055, 'epoch': 0.02}\n" * (TAIL // 31 + 1)
    log.write_bytes(b"java: not found\n" + noise)
    assert told_of(log=log) == ""
    log.write_bytes(noise + b"java: not found\n")
    assert "java is missing" in told_of(log=log)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00 loading\n\xc3java: not found\n",
        b"  1%|  | 1/100 [00:05]\r 50%|  | 50/100\rjava: not found",
        b"\x1b[1;31mjava\x1b[0m: not found\r\n",
    ],
    ids=["no text", "after a progress bar", "in colours"],
)
def test_bytes_that_are_no_text_bars_and_colours_do_not_matter(tmp_path: Path, content: bytes) -> None:
    log = tmp_path / "x.log"
    log.write_bytes(content)
    assert "java is missing" in told_of(log=log)


@pytest.mark.parametrize("kind", ["missing", "folder", "unreadable", "pipe"])
def test_where_the_log_cannot_be_read_the_last_lines_are(tmp_path: Path, kind: str) -> None:
    log = tmp_path / "x.log"
    if kind == "folder":
        log.mkdir()
    elif kind == "pipe":
        import os

        os.mkfifo(log)
    elif kind == "unreadable":
        log.write_text("x")
        log.chmod(0)
    assert "java is missing" in told_of("noise", "java: not found", log=log)


ODD = '''
from djsandbox import ComponentConfig, Launcher
from djsandbox.errors import SandboxError


class Odd(Launcher):
    """Writes no log, and fails in words of its own."""

    Config = ComponentConfig
    max_parallel = 1

    def run(self, attempt, on_started, on_line):
        on_started()
        on_line("java: not found")
        raise SandboxError("the node went away: No space left on device")

    def stop(self, *, at_once=False):
        pass
'''


def test_the_lines_and_words_of_a_launcher_that_writes_no_log_are_read(lab: Lab) -> None:
    (lab.folder / "odd.py").write_text(ODD)
    lab.shell("true", names=["a"], launcher="./odd.py:Odd")
    text = failure(lab)
    assert JAVA in text and "known error: the disk is full" in text


# -- plugins -----------------------------------------------------------------------------------------------------------------


def test_plugins_add_known_errors_one_by_one_or_several_at_once(plugin: Plugin) -> None:
    plugin(one="mine:TEAPOT", two="mine:BOTH")
    text = told_of("Brrr", "418 I'm a teapot", "java: not found")
    told = [line.strip().removeprefix("known error: ") for line in text.splitlines() if "known error" in line]
    assert told == ["it is cold", "it is a teapot", "java is missing"]
    assert "why: One cannot brew coffee in it." in text and "what to do: Make tea." in text


def test_no_plugin_is_imported_before_something_fails(lab: Lab, plugin: Plugin) -> None:
    plugin(teapot="mine:TEAPOT")
    lab.shell('echo "I\'m a teapot"; [ -e bad ] && exit 3; echo $0 > $1', names=["a"])
    lab.run()
    assert "mine" not in sys.modules
    (lab.folder / "bad").touch()
    assert "it is a teapot" in failure(lab)
    assert "mine" in sys.modules


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("broken:X", "ZeroDivisionError"),
        ("mine:NOTHING", "NOTHING"),
        ("mine:STRANGE", "holds a value of type 'dict'"),
        ("mine:EMPTY", "is empty"),
        ("nowhere:X", "nowhere"),
    ],
)
def test_a_plugin_that_fails_is_a_warning_with_its_name_and_the_others_are_used(
    plugin: Plugin, caplog: pytest.LogCaptureFixture, value: str, said: str
) -> None:
    plugin(bad=value, teapot="mine:TEAPOT")
    text = told_of("418 I'm a teapot", "java: not found")
    assert "it is a teapot" in text and "java is missing" in text
    (warning,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert said in warning.getMessage() and "errors-of-mine" in warning.getMessage()


def test_a_pattern_that_would_search_for_ever_is_given_up_and_named(plugin: Plugin, caplog: pytest.LogCaptureFixture) -> None:
    plugin(slow="mine:SLOW", teapot="mine:TEAPOT")
    began = time.process_time()
    text = told_of("a" * 100 + "b", "418 I'm a teapot")
    assert time.process_time() - began < 1  # it was not we who searched
    assert "it is a teapot" in text and "for ever" not in text
    (warning,) = caplog.records
    assert "'it takes for ever'" in warning.getMessage() and "errors-of-mine" in warning.getMessage()


def test_where_nothing_can_be_searched_the_error_is_told_as_it_is(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert told_of("java: not found") == ""
    (warning,) = caplog.records
    assert "known errors could not be looked for" in warning.getMessage()
