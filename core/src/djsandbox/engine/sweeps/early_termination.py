"""Which trials are not worth going on with, by the rule of W&B's sweeps."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

from djsandbox.config.sweep import Goal, Hyperband


class EarlyTermination:
    """One bracket of Hyperband over the values that trials report, those that have ended included.

    A trial that has reported `band` values is compared with what all trials reported as their `band`-th: it goes on while it
    belongs to the best 1/eta of them, where `strict` by its own value there, else by its best so far. It is asked about at
    each of its reports, since others may have come and done better in the meantime. Values that are no finite numbers do not
    count as reports. As in `hyperband_stopping.py` of https://github.com/wandb/sweeps.
    """

    def __init__(self, hyperband: Hyperband, goal: Goal, reports: Iterable[tuple[int, int, float]] = ()) -> None:
        """`reports` are those of earlier runs of the sweep, in order: trial, how many it had reported then, value."""
        self._hyperband = hyperband
        self._sign = -1.0 if goal == "maximize" else 1.0
        self._histories: dict[int, _History] = {}
        for trial, count, value in reports:
            self._note(trial, count, value)

    def report(self, trial: int, count: int, value: float) -> bool:
        """Note the `count`-th value (from 1) of `trial`; True where the trial is to be stopped.

        A count that the trial has had before means that it runs again: what it reported from there on is forgotten.
        """
        self._note(trial, count, value)
        own = self._histories[trial].values
        reached = [band for band in self._hyperband.bands if band <= len(own)]
        if not reached:
            return False
        band = reached[-1]
        compared = own[band - 1] if self._hyperband.strict else min(own)
        return compared > self._threshold(band)

    def _note(self, trial: int, count: int, value: float) -> None:
        history = self._histories.setdefault(trial, _History())
        known = bisect_left(history.counts, count)
        del history.counts[known:], history.values[known:]
        if math.isfinite(value):
            history.counts.append(count)
            history.values.append(self._sign * value)

    def _threshold(self, band: int) -> float:
        """The worst value at `band` with which a trial goes on."""
        at_band = sorted(one.values[band - 1] for one in self._histories.values() if len(one.values) >= band)
        return at_band[int(len(at_band) / self._hyperband.eta)]


@dataclass(frozen=True, slots=True)
class _History:
    """What a trial reported, without what is no number: the lower, the better."""

    counts: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
