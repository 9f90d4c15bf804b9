"""Data pools several times over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from djsandbox import unique_names
from pydantic import field_validator

from djsandbox_pools.jsonlines import JsonLines
from djsandbox_pools.manipulator import PoolManipulator, PoolManipulatorConfig, ShuffleSeed, Times


class DataPoolDuplication(PoolManipulator):
    """Repeat each data pool a number of times, shuffled or not."""

    libraries = ("numpy",)  # its generator decides the shuffled order

    class Config(PoolManipulatorConfig):
        """How often the rows of a pool are repeated: one new pool for each of `duplicating_times`."""

        duplicating_times: Times
        """How many times over the rows stand in a new pool: whole numbers from 1 on, each makes one of every pool."""
        shuffle: bool = False
        """Shuffle the repeated rows; otherwise the pool stands there as a whole, again and again."""
        shuffle_seed: ShuffleSeed = 42
        """Seed of the permutation, where rows are shuffled; `seed` is another spelling."""

        @field_validator("duplicating_times")
        @classmethod
        def _distinct(cls, times: list[int]) -> list[int]:
            if len(set(times)) < len(times):
                raise ValueError("the same number stands there twice; each makes one pool of its own name")
            return times

    def targets(self) -> list[str]:
        """The pools' paths, pool by pool, in the order of `duplicating_times`."""
        names = unique_names(self.config.dataset_path, alike=True)
        return self.exported([f"{name}_x{times}.jsonl" for name in names for times in self.config.duplicating_times])

    def run(self) -> list[str]:
        """Write the pools; return their paths."""
        pools, writer = self.read(), self.writer()
        made = ((pool, times) for pool in pools for times in self.config.duplicating_times)
        return [
            writer.write(Path(target), self._repeated(pool, times))
            for target, (pool, times) in zip(self.targets(), made, strict=True)
        ]

    def _repeated(self, pool: JsonLines, times: int) -> Iterator[bytes]:
        if self.config.shuffle:
            order = np.random.default_rng(self.config.shuffle_seed).permutation(len(pool) * times)
            yield from pool.rows(order % len(pool))
        else:
            for _ in range(times):
                yield from pool.rows()
