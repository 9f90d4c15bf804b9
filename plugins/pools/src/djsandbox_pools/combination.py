"""Data pools from the rows that several ranked pools share."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
from djsandbox import ComponentError, Finding

from djsandbox_pools.jsonlines import Indices, JsonLines
from djsandbox_pools.manipulator import PoolManipulator, PoolManipulatorConfig, Pools, known_paths
from djsandbox_pools.naming import NO_COMMON_PREFIX, common_prefix

MOST_POOLS = 16
"""2^16 - 1 = 65,535 combinations are more than anybody trains on."""


class DataPoolCombination(PoolManipulator):
    """Intersect N ranked data pools in each of the 2^N - 1 ways."""

    class Config(PoolManipulatorConfig):
        """The ranked pools, and the folder of their combinations."""

        dataset_path: Pools
        """The data pools (JSON lines), best first; at most 16."""

    def check(self) -> Iterable[Finding]:
        """Also find a list of pools too long to combine."""
        yield from super().check()
        if (count := len(known_paths(self.config, "dataset_path"))) > MOST_POOLS:
            yield Finding(("dataset_path",), *_too_many(count))

    def run(self) -> list[str]:
        """Write the combinations, those of fewest pools first; return the paths of those that have rows."""
        pools = self.read()
        if len(pools) > MOST_POOLS:
            message, fix = _too_many(len(pools))
            raise ComponentError(message, fix=fix)
        keys, universe = _row_keys(pools)
        members = [_membership(own, universe) for own in keys]
        prefix = common_prefix([pool.path for pool in pools]) or NO_COMMON_PREFIX
        writer, paths = self.writer(), []
        for ranks in _combinations(len(pools)):
            best, *others = ranks
            kept = np.ones(len(keys[best]), dtype=bool)
            for other in others:
                kept &= members[other][keys[best]]
            name, count = "_".join(map(str, ranks)), int(np.count_nonzero(kept))
            self.logger.info("combination of ranks %s: %d rows%s", name, count, "" if count else "; no pool is written")
            if count:
                [target] = self.exported([f"{prefix}_top_{name}_num_{count}.jsonl"])
                paths.append(writer.write(Path(target), pools[best].rows(np.flatnonzero(kept))))
        return paths


def _combinations(count: int) -> list[tuple[int, ...]]:
    """Every non-empty set of ranks: by size, then by the worst rank in it, as the pools join one after the other."""
    return [
        ranks
        for size in range(1, count + 1)
        for ranks in sorted(combinations(range(count), size), key=lambda ranks: tuple(reversed(ranks)))
    ]


def _row_keys(pools: list[JsonLines]) -> tuple[list[Indices], int]:
    """For each pool the keys of its rows, and how many keys there are.

    Rows have one key when their bytes are the same and they are the same (first, second, ...) occurrence of it in their pool,
    so that sets of keys intersect as multisets of rows.
    """
    known: dict[tuple[bytes, int], int] = {}
    keys = []
    for pool in pools:
        seen: Counter[bytes] = Counter()
        own = np.empty(len(pool), dtype=np.int64)
        for index, row in enumerate(pool.rows()):
            digest = hashlib.blake2b(row, digest_size=16).digest()  # rows may be large; 16 bytes tell 2^50 of them apart
            own[index] = known.setdefault((digest, seen[digest]), len(known))
            seen[digest] += 1
        keys.append(own)
    return keys, len(known)


def _membership(keys: Indices, universe: int) -> npt.NDArray[np.bool_]:
    member = np.zeros(universe, dtype=bool)
    member[keys] = True
    return member


def _too_many(count: int) -> tuple[str, str]:
    return (
        f"{count} pools would be combined to 2^{count} - 1 files; at most {MOST_POOLS} pools are taken",
        "rank the pools and keep the best (data_pool_ranking with top_n)",
    )
