"""What is wrong with targets and updaters is said before anything runs, with its place."""

from textwrap import dedent
from typing import Any

import djsandbox
import pytest
from djsandbox.errors import ConfigError

Lab = Any


def problems(lab: Lab, text: str) -> list[str]:
    lab.write(text)
    with pytest.raises(ConfigError) as caught:
        djsandbox.validate("sandbox.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("targets", ["[a > 1]", "5"])
def test_targets_that_cannot_be_read_are_not_called_missing(lab: Lab, targets: str) -> None:
    (found,) = problems(lab, f"max_iter_num: 0\niter_targets: {targets}\n{dedent(lab.GIVE)}")
    assert found.startswith("sandbox.yaml:2: ") and "there are none" not in found
