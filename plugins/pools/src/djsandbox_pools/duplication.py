"""Data pools several times over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from djsandbox import DECIDED_AT_RUN
from pydantic import field_validator

from djsandbox_pools.jsonlines import JsonLines
from djsandbox_pools.manipulator import PoolManipulator, PoolManipulatorConfig, ShuffleSeed, Times
from djsandbox_pools.naming import unique_names


class DataPoolDuplication(PoolManipulator):
    """Repeat each data pool a number of times, shuffled or not."""

    libraries = ("numpy",)  # its generator decides the shuffled order

    class Config(PoolManipulatorConfig):
        """How often the rows of a pool are repeated: one new pool for each of `duplicating_times`."""

        duplicating_times: Times
        shuffle: bool = False
        shuffle_seed: ShuffleSeed = 42

        @field_validator("duplicating_times")
        @classmethod
        def _distinct(cls, times: list[int]) -> list[int]:
            if len(set(times)) < len(times):
                raise ValueError("the same number stands there twice; each makes one pool of its own name")
            return times

    def planned_outputs(self) -> Any:
        """The pools' paths, where those of the inputs are known."""
        return self._targets() or DECIDED_AT_RUN

    def run(self) -> list[str]:
        """Write the pools; return their paths, pool by pool, in the order of `duplicating_times`."""
        pools, writer = self.read(), self.writer()
        made = ((pool, times) for pool in pools for times in self.config.duplicating_times)
        return [
            writer.write(Path(target), self._repeated(pool, times))
            for target, (pool, times) in zip(self._targets(), made, strict=True)
        ]

    def _targets(self) -> list[str]:
        names = unique_names(self.known_paths("dataset_path"))
        return self.exported([f"{name}_x{times}.jsonl" for name in names for times in self.config.duplicating_times])

    def _repeated(self, pool: JsonLines, times: int) -> Iterator[bytes]:
        if self.config.shuffle:
            order = np.random.default_rng(self.config.shuffle_seed).permutation(len(pool) * times)
            yield from pool.rows(order % len(pool))
        else:
            for _ in range(times):
                yield from pool.rows()
