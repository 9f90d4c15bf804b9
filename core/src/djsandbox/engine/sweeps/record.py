"""What the journal of a work_dir says of its last sweep, so that it can go on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from djsandbox.components.sweeper import Trial, TrialResult
from djsandbox.engine.planned import Plan
from djsandbox.engine.sweeps.comparable import Basis, differences
from djsandbox.errors import ConfigError
from djsandbox.journal.journal import Journal
from djsandbox.journal.values import decode


@dataclass(slots=True)
class SweepRecord:
    """A sweep as journalled: its name (the run that began it), what its values rest on, and how far it has come.

    `details` has the `trial_finished` event of each result, by trial; `reports` the values (trial, n-th report, value) that
    running trials reported, in order; `begun` the numbers of all trials that were started.
    """

    name: str
    basis: Basis
    results: list[TrialResult] = field(default_factory=list)
    details: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    reports: list[tuple[int, int, float]] = field(default_factory=list)
    begun: set[int] = field(default_factory=set)

    def note(self, event: Mapping[str, Any]) -> None:
        """Take in an event of this sweep."""
        kind, number = event["event"], event.get("trial", 0)
        if kind == "trial_started":
            self.begun.add(number)
            # A trial that is run again reports from the beginning.
            self.reports = [report for report in self.reports if report[0] != number]
        elif kind == "trial_reported":
            self.reports.append((number, event["step"], decode(event["value"])))
        elif kind == "trial_finished":
            self.results.append(TrialResult(Trial(number, decode(event["values"])), event["status"], event["value"]))
            self.details[number] = event


def sweep_to_go_on_with(plan: Plan, journal: Journal, basis: Basis) -> SweepRecord | None:
    """The last sweep in `journal` where the config resumes; ConfigError where it rests on something else than `basis`."""
    found = last_sweep(journal.events()) if plan.config.resume else None
    problems = list(differences(found.basis, basis, plan, found.name)) if found else []
    if problems:
        raise ConfigError.of(problems)
    return found


def last_sweep(events: Iterable[Mapping[str, Any]]) -> SweepRecord | None:
    """The last sweep of a journal; None where there is none."""
    found: SweepRecord | None = None
    for event in events:
        if event["event"] == "sweep_started" and (found is None or event["sweep"] != found.name):
            found = SweepRecord(event["sweep"], Basis.from_fields(event))
        elif found is not None and event.get("sweep") == found.name:
            found.note(event)
    return found
