"""A file of the current directory wins over the one beside the config; where these differ, that is said."""

from textwrap import dedent
from typing import Any

import djsandbox
import pytest

Lab = Any

SWEEP = """
method: grid
metric: {name: anonymous.m.a, goal: minimize}
parameters: {anonymous.m.extra_configs.value: {values: [1, 2]}}
"""


@pytest.fixture
def apart(lab: Lab) -> Lab:
    """A config in a folder of its own, with files beside it."""
    (lab.folder / "sub").mkdir()
    (lab.folder / "sub/parts.py").write_text((lab.folder / "parts.py").read_text())
    lab.write(f"hpo_config: sweep.yaml\n{dedent(lab.GIVE)}", "sub/swept.yaml")
    lab.write(SWEEP, "sub/sweep.yaml")
    lab.write('type: "./parts.py:Give"\nvalue: 1\n', "sub/give.yaml")
    lab.write("evaluation_job_configs:\n  - {hook: EvaluateDataHook, extra_configs: give.yaml}\n", "sub/given.yaml")
    return lab


@pytest.mark.parametrize(("config", "name", "line"), [("swept.yaml", "sweep.yaml", 1), ("given.yaml", "give.yaml", 2)])
def test_another_file_of_the_same_name_is_doubted(apart: Lab, config: str, name: str, line: int) -> None:
    assert djsandbox.validate(f"sub/{config}") == ()
    text = (apart.folder / "sub" / name).read_text()
    (apart.folder / name).write_text(text)
    assert djsandbox.validate(f"sub/{config}") == ()  # it makes no difference
    (apart.folder / name).write_text(text.replace("1", "3"))
    (warning,) = djsandbox.validate(f"sub/{config}")
    assert warning.severity == "warning"
    assert str(warning).startswith(f"sub/{config}:{line}: '{name}' is the file in the current directory")
    assert f"'sub/{name}'" in warning.message
