"""A sweeper as the engine uses it: what it raises names it, and what it asks for is looked at."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Sequence
from typing import Any

from djsandbox.components.sweeper import Sweeper, Trial, TrialResult
from djsandbox.engine.guard import asked
from djsandbox.errors import PluginError


class GuardedSweeper:
    """`sweeper`, of which everything that goes wrong is a PluginError with its name."""

    def __init__(self, sweeper: Sweeper) -> None:
        self._sweeper = sweeper

    def open(self, name: str, results: Sequence[TrialResult]) -> None:
        """See `Sweeper.open`."""
        self._asked("open()", lambda: self._sweeper.open(name, results))

    def ask(self, taken: Container[int]) -> Trial | None:
        """See `Sweeper.ask`; PluginError for what is no trial of this sweep, or one of those with the numbers `taken`."""
        trial: Any = self._asked("ask()", self._sweeper.ask)
        fault = None if trial is None else self._fault(trial, taken)
        if fault is not None:
            place = f"{type(self._sweeper).__module__}.{type(self._sweeper).__qualname__}"
            fix = "ask() returns a Trial with a number of its own, from 1, and plain values of all parameters; or None"
            raise PluginError(f"the sweeper {place} asked for {fault}", fix=fix)
        return trial  # type: ignore[no-any-return]

    def tell(self, result: TrialResult) -> None:
        """See `Sweeper.tell`."""
        self._asked("tell()", lambda: self._sweeper.tell(result))

    def environment(self, trial: Trial) -> dict[str, str]:
        """See `Sweeper.environment`."""
        found: dict[str, str] = self._asked("environment()", lambda: dict(self._sweeper.environment(trial)))
        return {str(name): str(value) for name, value in found.items()}

    def report(self, trial: Trial, step: int, value: float) -> None:
        """See `Sweeper.report`."""
        self._asked("report()", lambda: self._sweeper.report(trial, step, value))

    def close(self) -> None:
        """See `Sweeper.close`."""
        self._asked("close()", self._sweeper.close)

    def _asked(self, what: str, call: Callable[[], Any]) -> Any:
        return asked(type(self._sweeper), what, call)

    def _fault(self, trial: Any, taken: Container[int]) -> str | None:
        """What is wrong with `trial`."""
        if not isinstance(trial, Trial):
            return f"a {type(trial).__name__}, which is no Trial"
        number = trial.number
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            return f"a trial with the number {number!r}"
        if number in taken:
            return f"trial {number} once more, which runs or has ended"
        parameters = {parameter.name: parameter for parameter in self._sweeper.sweep.parameters}
        names = parameters.keys()
        for name in sorted(names - trial.values.keys()):
            return f"trial {number} without a value of '{name}'"
        for name in sorted(map(str, trial.values.keys() - names)):
            return f"trial {number} with a value of '{name}', which is no parameter"
        for name, value in trial.values.items():
            try:
                json.dumps(value)
            except (TypeError, ValueError):
                return f"trial {number} with {value!r} for '{name}', which is not plain"
            if not parameters[name].admits(value):
                return f"trial {number} with {value!r} for '{name}', which is none of the values that the sweep file gives it"
        return None
