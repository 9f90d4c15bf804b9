"""The plugin as a package: what it registers, what its import costs, and what it says of its options."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from djsandbox import SweepConfig, Sweeper
from djsandbox.plugins.resolve import resolve
from djsandbox_optuna.sweeper import OptunaSweeper
from pydantic import ValidationError


@pytest.mark.parametrize("name", ["optuna", None])
def test_optuna_is_the_backend_by_name_and_by_default(name: str | None) -> None:
    origin = resolve("sweepers", name, base=Sweeper, folder=Path())
    assert origin.component_class is OptunaSweeper


def test_importing_the_backend_imports_nothing_heavy() -> None:
    imports = "import sys, djsandbox_optuna.sweeper\n"
    check = imports + "print([name for name in ('optuna', 'numpy', 'scipy') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_option_is_described_in_one_line() -> None:
    for name, info in OptunaSweeper.Config.model_fields.items():
        assert info.description and "\n" not in info.description, name


@pytest.mark.parametrize("options", [{"sampler": "cma"}, {"seed": -1}, {"n_startup_trials": 0}, {"sed": 1}])
def test_options_that_cannot_be_meant_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        OptunaSweeper.Config(**options)


def checked(config: SweepConfig, folder: Path, **options: Any) -> list[tuple[Any, str]]:
    sweeper = OptunaSweeper(OptunaSweeper.Config(**options), config, folder)
    assert not folder.exists()
    return [(finding.loc, finding.severity) for finding in sweeper.check()]


def test_options_of_bayesian_search_are_warned_of_where_they_do_nothing(
    sweep: Callable[..., SweepConfig], tmp_path: Path
) -> None:
    config = sweep("a: {min: 1, max: 2}", method="random")
    found = checked(config, tmp_path / "record", sampler="tpe", n_startup_trials=3, seed=1)
    assert found == [(("n_startup_trials",), "warning"), (("sampler",), "warning")]
    assert checked(sweep("a: {min: 1, max: 2}", method="bayes"), tmp_path / "record", sampler="tpe") == []


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed")
def test_gaussian_processes_are_refused_where_torch_is_missing(sweep: Callable[..., SweepConfig], tmp_path: Path) -> None:
    config = sweep("a: {min: 1, max: 2}", method="bayes")
    assert checked(config, tmp_path / "record", sampler="gp") == [(("sampler",), "error")]


def test_gaussian_processes_search_where_torch_is_installed(
    sweep: Callable[..., SweepConfig], begin: Callable[..., Any], run: Callable[..., Any]
) -> None:
    pytest.importorskip("torch")
    config = sweep("a: {min: 0.0, max: 1.0}\nb: {values: [u, v]}", method="bayes")
    results = run(begin(config, sampler="gp", seed=1, n_startup_trials=3), 6)
    results += run(begin(config, results, sampler="gp", seed=1, n_startup_trials=3), 6)
    assert [result.trial.number for result in results] == list(range(1, 13))
    assert min(result.value for result in results) < 0.01
