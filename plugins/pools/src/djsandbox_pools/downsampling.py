"""Data pools of one size, so that what is trained on them can be compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from djsandbox import unique_names
from pydantic import PositiveInt

from djsandbox_pools.manipulator import PoolManipulator, PoolManipulatorConfig, ShuffleSeed


class DataPoolDownsampling(PoolManipulator):
    """Sample each data pool at random, without replacement, down to one size."""

    libraries = ("numpy",)  # its generator decides which rows are taken

    class Config(PoolManipulatorConfig):
        """How many rows to take (default: as many as the smallest pool has), and the seed."""

        target_num_samples: PositiveInt | None = None
        """Rows to take of each pool; by default as many as the smallest has. A smaller pool is taken whole."""
        shuffle_seed: ShuffleSeed = 42
        """Seed of the permutation whose first rows are taken; `seed` is another spelling."""

    def targets(self) -> list[str]:
        """The samples' paths where `target_num_samples` is given."""
        size = self.config.target_num_samples
        return [] if size is None else self._targets(size)

    def run(self) -> list[str]:
        """Write the samples; return their paths in the order of the pools."""
        pools, writer, paths = self.read(), self.writer(), []
        size = self.config.target_num_samples or min(len(pool) for pool in pools)
        for pool, target in zip(pools, self._targets(size), strict=True):
            if len(pool) < size:
                self.logger.warning("%s has %d rows, fewer than the %d asked for; all are taken", pool.path, len(pool), size)
            order = np.random.default_rng(self.config.shuffle_seed).permutation(len(pool))
            paths.append(writer.write(Path(target), pool.rows(order[:size])))
        return paths

    def _targets(self, size: int) -> list[str]:
        return self.exported([f"{name}_{size}.jsonl" for name in unique_names(self.config.dataset_path, alike=True)])
