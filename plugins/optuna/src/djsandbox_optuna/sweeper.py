"""The sweep backend: Optuna asked and told, with a record that survives being killed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from djsandbox import ComponentConfig, Finding, SandboxError, SweepConfig, Sweeper, Trial, TrialResult
from pydantic import Field

from djsandbox_optuna.distributions import Axis, axes_of, point_of_grid
from djsandbox_optuna.samplers import sampler_for, trial_seed
from djsandbox_optuna.storage import open_study

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial

TRIAL = "djsandbox_trial"
"""The attribute of Optuna's trials that says which trial of ours they are, and with which values."""


class OptunaSweeper(Sweeper):
    """Chooses trials with Optuna: a grid, random search, or Bayesian search by TPE or Gaussian processes."""

    class Config(ComponentConfig):
        """What the `sweeper` block of a sweep file says beside its type."""

        sampler: Literal["tpe", "gp"] = "tpe"
        """How `method: bayes` searches: by tree-structured Parzen estimators, or by a Gaussian process (needs torch)."""
        seed: int | None = Field(default=None, ge=0)
        """Makes `random` and `bayes` reproducible."""
        n_startup_trials: int = Field(default=10, ge=1)
        """Trials that `bayes` draws at random before it begins to learn from them."""

    libraries = ("optuna", "scipy")

    def __init__(self, config: ComponentConfig, sweep: SweepConfig, folder: Path) -> None:
        super().__init__(config, sweep, folder)
        self._study: optuna.Study | None = None
        self._axes: Mapping[str, Axis] = {}
        self._grid_size = 0
        self._running: dict[int, optuna.Trial] = {}
        self._ended: set[int] = set()
        self._again: set[int] = set()
        self._known: set[int] = set()
        self._reported: set[int] = set()

    def check(self) -> Iterable[Finding]:
        """Say where an option cannot work, or does nothing."""
        if self.config.sampler == "gp" and find_spec("torch") is None:
            yield Finding(("sampler",), "the sampler 'gp' needs torch", "pip install torch, or use 'sampler: tpe'")
        if self.sweep.method != "bayes":
            for key in sorted(self.config.model_fields_set & {"sampler", "n_startup_trials"}):
                yield Finding((key,), f"'{key}' does nothing with 'method: {self.sweep.method}'", severity="warning")

    def open(self, name: str, results: Sequence[TrialResult]) -> None:
        """Begin or go on: trials that were running are asked for again, results that the record lacks are added to it."""
        import optuna  # noqa: PLC0415

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._axes = axes_of(self.sweep)
        self._grid_size = math.prod(len(axis.choices or ()) for axis in self._axes.values())
        self._study = open_study(name, self.sweep, self.folder)
        self._running, self._reported = {}, set()
        self._ended = {result.trial.number for result in results}
        self._again = set()
        self._known = set(self._ended)
        self._catch_up({result.trial.number: result for result in results})

    def ask(self) -> Trial | None:
        """The next trial: first those that never ended, then new ones."""
        study = self._opened()
        while True:
            number = next(number for number in count(1) if number not in self._known)
            if self.sweep.method == "grid" and not self._again:
                if number > self._grid_size:
                    return None
                note = self._note(number, point_of_grid(self._axes, number - 1))
                study.enqueue_trial(note["params"], user_attrs={TRIAL: note})
            study.sampler = sampler_for(
                self.sweep, self.config.sampler, self.config.n_startup_trials, trial_seed(self.config.seed, number)
            )
            asked = study.ask({name: axis.distribution for name, axis in self._axes.items()})
            if TRIAL not in asked.user_attrs:
                asked.set_user_attr(TRIAL, self._note(number, asked.params))
            note = asked.user_attrs[TRIAL]
            trial = Trial(note["number"], note["values"])
            self._again.discard(trial.number)
            self._known.add(trial.number)
            if trial.number not in self._ended:
                self._running[trial.number] = asked
                return trial
            self._finish(asked.number, TrialResult(trial, "failed", None))

    def report(self, trial: Trial, step: int, value: float) -> None:
        """Note what a running trial reported: Bayesian search learns from it where the trial is stopped."""
        asked = self._running.get(trial.number)
        if asked is not None and math.isfinite(value):
            asked.report(float(value), step)
            self._reported.add(trial.number)

    def tell(self, result: TrialResult) -> None:
        """Note how a trial ended; a value that is no finite number is a failure."""
        number = result.trial.number
        if result.status == "stopped" and result.value is not None and number not in self._reported:
            self.report(result.trial, 1, result.value)
        self._ended.add(number)
        asked = self._running.pop(number, None)
        if asked is None:
            self._add(result)
        else:
            self._finish(asked.number, result)

    def close(self) -> None:
        """Leave the record."""
        self._study = None
        self._running = {}

    def _opened(self) -> optuna.Study:
        if self._study is None:
            raise RuntimeError("open() has not been called")
        return self._study

    def _catch_up(self, results: Mapping[int, TrialResult]) -> None:
        """Bring the record up to date with what is known to have ended."""
        study = self._opened()
        last: dict[int, FrozenTrial] = {}
        for frozen in study.get_trials(deepcopy=False):
            note = frozen.user_attrs.get(TRIAL)
            if note is None:
                if frozen.state.name == "RUNNING":  # killed before anyone saw it
                    study.tell(frozen.number, state=_state("failed"))
            elif frozen.state.name == "WAITING":
                self._again.add(note["number"])
            else:
                last[note["number"]] = frozen
        for number, frozen in sorted(last.items()):
            result = results.get(number)
            if result is None and number not in self._again:
                note = frozen.user_attrs[TRIAL]
                study.enqueue_trial(note["params"], user_attrs={TRIAL: note})
                self._again.add(number)
            if frozen.state.name == "RUNNING":
                # After it is waiting again: killed in between, it is there twice and not lost.
                self._finish(frozen.number, result or TrialResult(Trial(number, {}), "failed", None))
        self._known |= last.keys() | self._again
        for number in sorted(results.keys() - last.keys()):
            self._add(results[number])

    def _note(self, number: int, found: Mapping[str, Any]) -> dict[str, Any]:
        """What the record says of our trial `number`, for which Optuna found `found`."""
        params = {name: _plain(value) for name, value in found.items()}
        return {"number": number, "params": params, "values": self._values(params)}

    def _values(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The values of all parameters, in the order of the file."""
        return {
            parameter.name: parameter.arguments["value"]
            if parameter.is_constant
            else self._axes[parameter.name].plain(params[parameter.name])
            for parameter in self.sweep.parameters
        }

    def _add(self, result: TrialResult) -> None:
        """Record a result of a trial that the record does not know."""
        from optuna.trial import create_trial  # noqa: PLC0415

        number, values = result.trial.number, dict(result.trial.values)
        try:
            params = {name: axis.found(values[name]) for name, axis in self._axes.items()}
        except (KeyError, ValueError) as error:
            raise SandboxError(
                f"trial {number} of this sweep has values of another search space: {error}",
                where=self.sweep.at("parameters"),
                fix="undo the change of the sweep file, or begin a new sweep: run without --resume",
            ) from error
        status, value = _outcome(result)
        trial = create_trial(
            state=_state(status),
            value=value,
            params=params,
            distributions={name: axis.distribution for name, axis in self._axes.items()},
            intermediate_values={1: value} if status == "stopped" and value is not None else None,
            user_attrs={TRIAL: {"number": number, "params": params, "values": values}},
        )
        self._opened().add_trial(trial)
        self._known.add(number)

    def _finish(self, optuna_number: int, result: TrialResult) -> None:
        status, value = _outcome(result)
        self._opened().tell(optuna_number, value if status == "done" else None, state=_state(status))


def _outcome(result: TrialResult) -> tuple[Literal["done", "stopped", "failed"], float | None]:
    value = float(result.value) if result.value is not None and math.isfinite(result.value) else None
    if result.status == "done" and value is None:
        return "failed", None
    return result.status, None if result.status == "failed" else value


def _state(status: Literal["done", "stopped", "failed"]) -> optuna.trial.TrialState:
    from optuna.trial import TrialState  # noqa: PLC0415

    return {"done": TrialState.COMPLETE, "stopped": TrialState.PRUNED, "failed": TrialState.FAIL}[status]


def _plain(value: Any) -> int | float:
    """A number of numpy's as one of Python's."""
    number: int | float = value.item() if hasattr(value, "item") else value
    return number
