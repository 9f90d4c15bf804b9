"""Optuna's sampler for one trial."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from djsandbox import SweepConfig

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler


def sampler_for(sweep: SweepConfig, kind: str, startup_trials: int, seed: int | None) -> BaseSampler:
    """A sampler that draws with `seed` what `sweep.method` asks for; `kind` is that of Bayesian search."""
    from optuna.samplers import GPSampler, RandomSampler, TPESampler  # noqa: PLC0415

    if sweep.method != "bayes":
        return RandomSampler(seed=seed)
    if kind == "gp":
        return GPSampler(seed=seed, n_startup_trials=startup_trials)
    # Running trials count as bad ones, so that parallel trials do not try the same.
    return TPESampler(multivariate=True, constant_liar=True, n_startup_trials=startup_trials, seed=seed)


def trial_seed(seed: int | None, number: int) -> int | None:
    """A seed for trial `number` alone: whoever goes on with a sweep draws neither the same again nor something else."""
    if seed is None:
        return None
    return int.from_bytes(hashlib.sha256(f"{seed}/{number}".encode()).digest()[:4], "big")
