"""What a sweep shows while it works: a line a trial."""

from __future__ import annotations

from typing import Any

from rich.markup import escape

from djsandbox.cli.progress import Progress
from djsandbox.config.sweep import short_name
from djsandbox.plugins.events import TrialEvent
from djsandbox.plugins.hookspecs import hookimpl


class SweepProgress(Progress):
    """A plugin that observes a sweep and writes to the terminal's error stream."""

    _trials: dict[int, str]

    @hookimpl
    def djsandbox_sweep_started(self) -> None:
        """Begin with no trial at work."""
        self._trials = {}

    @hookimpl
    def djsandbox_trial_started(self, trial: TrialEvent) -> None:
        """Say which trials work now."""
        self._trials[trial.number] = ", ".join(f"{short_name(name)}={_short(value)}" for name, value in trial.values.items())
        self._show_trials()

    @hookimpl
    def djsandbox_trial_finished(self, trial: TrialEvent) -> None:
        """Leave a line for the trial."""
        self._count = trial.ended
        values = self._trials.pop(trial.number, "")
        result = trial.status.upper() if trial.value is None else _short(trial.value)
        if trial.status == "stopped":
            result += ", stopped early"
        if trial.seconds is not None:
            result += f", {trial.seconds:.1f} s"
        self._show_trials()
        style = "bold red" if trial.status == "failed" else None
        self._print(f"{self._position()} trial {trial.number}: {result} ({values})", style=style)
        if trial.status == "failed":
            self._print("".join(f"    {line}\n" for line in str(trial.error).splitlines()).rstrip())

    def _show_trials(self) -> None:
        if self._live is not None:
            running = "; ".join(f"trial {number}: {values}" for number, values in self._trials.items())
            self._live.update(escape(f"{running} ..." if running else ""))


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else repr(value) if value == "" else str(value)
