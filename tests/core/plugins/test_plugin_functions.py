"""Functions that a config names, in the group `message_functions` or as they lie in a file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox import ComponentConfig, MessageFunction
from djsandbox.errors import ConfigError, PluginError
from djsandbox.plugins.doctor import examine
from djsandbox.plugins.functions import find_function, message_function_of
from djsandbox.plugins.index import plugin_index
from pydantic import Field, ValidationError

COMPONENT = """
from djsandbox import BaseProbe, ComponentConfig, MessageFunction

class Ask(BaseProbe):
    "Asks a function."

    class Config(ComponentConfig):
        func: MessageFunction

    def run(self):
        return self.config.func({"text": "a"})
"""


def config(folder: Path, function: str) -> Path:
    """A sandbox config in `folder` whose only job calls `function`."""
    (folder / "ask.py").write_text(COMPONENT)
    job = {"hook": "GeneralProbeHook", "meta_name": "ask", "output": "answer"}
    job["extra_configs"] = {"type": "./ask.py:Ask", "func": function}  # type: ignore[assignment]
    path = folder / "sandbox.yaml"
    path.write_text(json.dumps({"project_name": "ask", "probe_job_configs": [job]}, indent=1))
    return path


def events(folder: Path) -> list[str]:
    lines = (folder / "outputs/ask/journal.jsonl").read_text().splitlines()
    return [event["event"] for event in map(json.loads, lines) if event["event"] in ("job_finished", "job_reused")]


def test_a_plugins_function_is_found_by_its_name_with_the_plugins_version(install, tmp_path):
    install(
        "acme-words",
        version="4.2",
        modules={"acme_words": "def upper(row):\n    return row['text'].upper()\n"},
        entry_points={"djsandbox.message_functions": {"upper": "acme_words:upper"}},
    )
    found = find_function("message_functions", "upper", folder=tmp_path)
    assert found({"text": "a"}) == "A"
    assert found.identity() == {"name": "upper", "distribution": "acme-words", "version": "4.2", "source_digest": None}


def test_a_function_lies_in_a_file_beside_the_config_that_names_it_not_beside_whoever_runs_it(tmp_path, monkeypatch):
    folder = tmp_path / "configs"
    folder.mkdir()
    (folder / "mine.py").write_text("def shout(row):\n    return row['text'] + '!'\n")
    monkeypatch.chdir(tmp_path)
    djsandbox.run(config(folder, "./mine.py:shout"))
    context = json.loads((tmp_path / "outputs/ask/context_infos.json").read_text())
    assert context["anonymous"][0]["answer"] == "a!"


def test_an_edited_function_runs_the_job_again_and_an_untouched_one_does_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("def shout(row):\n    return row['text'] + '!'\n")
    path = config(tmp_path, "./mine.py:shout")
    djsandbox.run(path)
    djsandbox.run(path, resume=True)
    assert events(tmp_path) == ["job_finished", "job_reused"]
    (tmp_path / "mine.py").write_text("def shout(row):\n    return row['text'] + '!!'\n")
    djsandbox.run(path, resume=True)
    assert events(tmp_path) == ["job_finished", "job_reused", "job_finished"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("./mine.py:shuot", "did you mean 'shout'?"),
        ("./mime.py:shout", "did you mean 'mine.py'?"),
        ("./mine.py:", 'write "./mine.py:shout"'),
        ("./mine.py:LOUD", "is no function, but of type 'int'"),
        ("uper", "did you mean 'upper'?"),
    ],
)
def test_a_name_that_leads_nowhere_is_told_before_the_run_with_its_line_and_the_nearest(
    install, tmp_path, monkeypatch, name, said
):
    monkeypatch.chdir(tmp_path)
    install(
        "acme-words",
        modules={"acme_words": "def upper(row):\n    return row\n"},
        entry_points={"djsandbox.message_functions": {"upper": "acme_words:upper"}},
    )
    (tmp_path / "mine.py").write_text("LOUD = 3\n\ndef shout(row):\n    return row\n")
    with pytest.raises(ConfigError) as caught:
        djsandbox.validate(config(tmp_path, name))
    (problem,) = caught.value.problems
    assert said in f"{problem.message} {problem.fix}"
    assert problem.where is not None
    assert '"func"' in (tmp_path / "sandbox.yaml").read_text().splitlines()[problem.where.line - 1]


def test_a_class_is_no_function(tmp_path):
    (tmp_path / "mine.py").write_text("class Shout:\n    pass\n")
    with pytest.raises(PluginError, match="is no function"):
        find_function("message_functions", "./mine.py:Shout", folder=tmp_path)


def test_from_python_a_function_may_be_given_itself(monkeypatch):
    class Config(ComponentConfig):
        func: MessageFunction = Field(default="none_such")

    given: Any = Config(func=len)  # type: ignore[arg-type]
    assert given.func("four") == 4
    with pytest.raises(ValidationError, match="unknown message function 'none_such'"):
        Config()


def test_the_doctor_tells_of_an_entry_point_that_is_no_function(install):
    install(
        "acme-words",
        modules={"acme_words": "UPPER = 3\n"},
        entry_points={"djsandbox.message_functions": {"upper": "acme_words:UPPER"}},
    )
    found = [
        item
        for item in examine(plugin_index(), checks={"message_functions": message_function_of})
        if item.claim.distribution == "acme-words"
    ]
    assert ["is no function" in str(item.problem) for item in found] == [True]


def test_nothing_of_a_plugin_is_imported_to_find_another_plugins_function(install, tmp_path):
    for name in ("acme-a", "acme-b"):
        module = name.replace("-", "_")
        install(
            name,
            modules={module: "def one(row):\n    return 1\n"},
            entry_points={"djsandbox.message_functions": {f"{module}_one": f"{module}:one"}},
        )
    find_function("message_functions", "acme_a_one", folder=tmp_path)
    assert "acme_a" in sys.modules
    assert "acme_b" not in sys.modules
