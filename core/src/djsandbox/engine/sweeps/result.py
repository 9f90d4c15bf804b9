"""What a sweep leaves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from djsandbox.components.sweeper import TrialResult
from djsandbox.watch.record import Table


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What a sweep that came to its end leaves.

    `trials` are all that ended, also those of earlier runs of the same sweep, in that order; `best` is the one with the best
    value, and `best_config` its config, ready to run. `seconds` are those of this run.
    """

    run_id: str
    work_dir: Path
    trials: tuple[TrialResult, ...]
    best: TrialResult
    best_config: Path
    tables: tuple[Table, ...]
    seconds: float
