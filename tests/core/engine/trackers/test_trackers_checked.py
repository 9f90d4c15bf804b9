"""Trackers and sweep backends that a config names are looked at before the run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import djsandbox
import pytest
from djsandbox.errors import ConfigError

Lab = Callable[..., Path]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("tracker: tensorbord", "sandbox.yaml:4: unknown tracker 'tensorbord'\n    did you mean 'tensorboard'?"),
        ("tracker: {type: './parts.py:Note', nane: x}", "sandbox.yaml:4: unknown key 'nane'\n    did you mean 'name'?"),
        (
            "tracker: [./parts.py:Note, {name: x}]",
            "sandbox.yaml:4: a tracker is a type, or a mapping of 'type' and its options",
        ),
        (
            "tracker: [./parts.py:Note, {type: './parts.py:Note', name: two}]",
            "sandbox.yaml:4: the tracker './parts.py:Note' is there twice",
        ),
        ("tracker: 3", "sandbox.yaml:4: 'tracker' must be"),
        ("tracker: ./parts.py:NotOne", "NotOne is a class of its own, but a Tracker is needed here"),
        ("tracker: ./none.py:Mine", "there is no file"),
        ("tracker: {type: './parts.py:Doubts', level: 2}", "sandbox.yaml:4: this level is odd\n    take 0"),
    ],
)
def test_a_wrong_tracker_is_found_before_the_run_with_its_place(lab: Lab, line: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        djsandbox.validate(lab(line))

    assert said in str(raised.value)


def test_a_doubt_of_a_tracker_is_a_warning(lab: Lab) -> None:
    (warning,) = djsandbox.validate(lab("tracker: {type: './parts.py:Doubts', level: 1}"))

    assert (warning.message, warning.severity) == ("this level is odd", "warning")


def test_a_wrong_name_in_the_environment_is_said_to_be_there(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJSANDBOX_TRACKERS", "tensorbord")

    with pytest.raises(ConfigError, match=r"DJSANDBOX_TRACKERS: unknown tracker 'tensorbord'"):
        djsandbox.validate(lab())


def test_two_backends_for_one_sweep_are_an_error_and_one_without_a_sweep_a_warning(lab: Lab) -> None:
    with open("sweep.yaml", "a", encoding="utf-8") as file:
        file.write("sweeper: one\n")
    with pytest.raises(ConfigError, match=r"'hpo_backend: two' and 'sweeper: one' in .*sweep.yaml are two backends"):
        djsandbox.validate(lab("hpo_config: sweep.yaml", "hpo_backend: two"))
    (warning,) = djsandbox.validate(lab("hpo_backend: two"))
    assert "does nothing without 'hpo_config'" in warning.message
