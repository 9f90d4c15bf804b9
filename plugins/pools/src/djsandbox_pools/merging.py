"""One data pool from several."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from djsandbox import DECIDED_AT_RUN

from djsandbox_pools.manipulator import PoolManipulator
from djsandbox_pools.naming import NO_COMMON_PREFIX, common_prefix


class DataPoolMerging(PoolManipulator):
    """Put the rows of several data pools, one pool after the other, into one file."""

    def planned_outputs(self) -> Any:
        """The merged pool's path, where it is given or those of the inputs are known."""
        target = self._target()
        return [target] if target else DECIDED_AT_RUN

    def run(self) -> list[str]:
        """Write the merged pool; return its path as a list of one."""
        pools = self.read()
        target = self._target()
        return [self.writer().write(Path(target), (row for pool in pools for row in pool.rows()))]

    def _target(self) -> str:
        export_path: str = self.config.export_path
        if Path(export_path).suffix == ".jsonl":
            return str(Path(export_path))
        paths = self.known_paths("dataset_path")
        return self.exported([f"{common_prefix(paths) or NO_COMMON_PREFIX}_merged.jsonl"])[0] if paths else ""
