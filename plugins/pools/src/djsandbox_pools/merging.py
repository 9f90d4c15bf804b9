"""One data pool from several."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from djsandbox import OutputPath

from djsandbox_pools.manipulator import PoolManipulator, PoolManipulatorConfig
from djsandbox_pools.naming import NO_COMMON_PREFIX, common_prefix


class DataPoolMerging(PoolManipulator):
    """Put the rows of several data pools, one pool after the other, into one file."""

    class Config(PoolManipulatorConfig):
        """The pools, and where the merged one goes."""

        export_path: OutputPath
        """The merged file, where it ends in `.jsonl`; else a folder, in which it is named after what the pools' names share."""

    def planned_outputs(self) -> Any:
        """The merged pool's path, where it is given or can be made from those of the inputs."""
        return self.targets() if self._names_a_file() else super().planned_outputs()

    def targets(self) -> list[str]:
        """The merged pool's path: `export_path` where that is a .jsonl file, else a file in that folder."""
        if self._names_a_file():
            return [str(Path(self.config.export_path))]
        return self.exported([f"{common_prefix(self.config.dataset_path) or NO_COMMON_PREFIX}_merged.jsonl"])

    def run(self) -> list[str]:
        """Write the merged pool; return its path as a list of one."""
        pools = self.read()
        [target] = self.targets()
        return [self.writer().write(Path(target), (row for pool in pools for row in pool.rows()))]

    def _names_a_file(self) -> bool:
        return Path(self.config.export_path).suffix == ".jsonl"
