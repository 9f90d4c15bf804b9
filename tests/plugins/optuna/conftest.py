from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from djsandbox import Parameter, SweepConfig, Trial, TrialResult
from djsandbox.config.sweep_file import read_sweep

pytest.importorskip("optuna")


@pytest.fixture
def sweep(tmp_path: Path) -> Callable[..., SweepConfig]:
    """Makes a sweep from the text of its parameters."""

    def make(parameters: str, method: str = "random", goal: str = "minimize", cap: int = 100) -> SweepConfig:
        file = tmp_path / "sweep.yaml"
        head = f"method: {method}\nmetric: {{name: p.job.loss, goal: {goal}}}\nrun_cap: {cap}\nparameters:\n"
        file.write_text(head + textwrap.indent(textwrap.dedent(parameters).strip("\n"), "  ") + "\n")
        problems: list[Any] = []
        found = read_sweep(file, problems)
        assert found is not None, "\n".join(map(str, problems))
        return found

    return make


@pytest.fixture
def parameter(sweep: Callable[..., SweepConfig]) -> Callable[[str], Parameter]:
    def make(text: str) -> Parameter:
        return sweep(f"x: {text}").parameters[0]

    return make


@pytest.fixture
def begin(tmp_path: Path) -> Callable[..., Any]:
    """Opens the sweep named "s" in the test's own folder, as a new process would."""

    def start(config: SweepConfig, results: Sequence[TrialResult] = (), **options: Any) -> Any:
        from djsandbox_optuna.sweeper import OptunaSweeper

        sweeper = OptunaSweeper(OptunaSweeper.Config(**options), config, tmp_path / "record")
        sweeper.open("s", results)
        return sweeper

    return start


@pytest.fixture
def run(loss: Callable[[Trial], float]) -> Callable[..., list[TrialResult]]:
    """Asks for trials one after another, and tells the loss of each."""

    def go(sweeper: Any, count: int) -> list[TrialResult]:
        results = []
        for _ in range(count):
            trial = sweeper.ask()
            if trial is None:
                break
            results.append(TrialResult(trial, "done", loss(trial)))
            sweeper.tell(results[-1])
        return results

    return go


@pytest.fixture
def loss() -> Callable[[Trial], float]:
    """The squared distance of all numbers from 0.3."""

    def of(trial: Trial) -> float:
        return float(sum((value - 0.3) ** 2 for value in trial.values.values() if isinstance(value, (int, float))))

    return of
