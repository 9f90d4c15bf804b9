"""Every row of one data pool with every row of another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from djsandbox import ComponentConfig, ComponentError, OutputPath

from djsandbox_pools.jsonlines import JsonLines, shared_keys
from djsandbox_pools.manipulator import PoolManipulator, Pools
from djsandbox_pools.naming import NO_COMMON_PREFIX, common_prefix


class DataPoolCartesianJoin(PoolManipulator):
    """Join two sets of data pools, each pool and row of the first with each of the second."""

    source_fields = ("dataset_path_1", "dataset_path_2")

    class Config(ComponentConfig):
        """The two sets of pools, and the folder of the joined ones."""

        dataset_path_1: Pools
        """The first set of data pools (JSON lines); their keys come first in a joined row."""
        dataset_path_2: Pools
        """The second set of data pools (JSON lines); no key may stand on both sides."""
        export_path: OutputPath
        """Folder of the joined pools; it is made."""

    def targets(self) -> list[str]:
        """The joined pools' paths, those of the first set's first pool first."""
        firsts, seconds = self.config.dataset_path_1, self.config.dataset_path_2
        prefix = f"{common_prefix(firsts)}_{common_prefix(seconds)}"
        if prefix == "_":
            prefix = NO_COMMON_PREFIX
        pairs = [(i, j) for i in range(len(firsts)) for j in range(len(seconds))]
        return self.exported([f"{prefix}_cartesian_join_{i}_{j}.jsonl" for i, j in pairs])

    def run(self) -> list[str]:
        """Write the joined pools; return their paths."""
        firsts, seconds, writer = self.read("dataset_path_1"), self.read("dataset_path_2"), self.writer()
        if shared := shared_keys(firsts, seconds):
            raise ComponentError(
                f"both sides of the join have the keys {', '.join(sorted(shared))}; a joined row can hold each only once",
                fix="rename or drop them on one side",
            )
        pairs = ((first, second) for first in firsts for second in seconds)
        return [
            writer.write(Path(target), _joined(first, second))
            for target, (first, second) in zip(self.targets(), pairs, strict=True)
        ]


def _joined(first: JsonLines, second: JsonLines) -> Iterator[bytes]:
    for left in first.rows():
        head = left[:-1].rstrip()
        if head != b"{":
            head += b", "
        for right in second.rows():
            tail = right[1:].lstrip()
            yield head + tail if tail != b"}" else left
