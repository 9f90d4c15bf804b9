"""Data pools from an analyzed dataset: its rows by each statistic, from low to high, in parts."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
from djsandbox import ComponentError, unique_names
from pydantic import BeforeValidator, Field, PositiveInt, field_validator

from djsandbox_pools.jsonlines import JsonLines
from djsandbox_pools.manipulator import PoolManipulator, PoolManipulatorConfig, Pools, as_list
from djsandbox_pools.naming import file_safe
from djsandbox_pools.splitting import all_filled, as_ratio, cuts, parts
from djsandbox_pools.stats import FloatColumn, stat_columns
from djsandbox_pools.writing import PoolWriter

Ratio = Annotated[float, BeforeValidator(as_ratio)]


class DataPoolConstruction(PoolManipulator):
    """Split an analyzed dataset into low, middle and high pools by each of its statistics."""

    class Config(PoolManipulatorConfig):
        """The parts: `split_num` rows each, else cut at `split_ratios`; `ignore_stats` keeps the order of the file."""

        dataset_path: Pools
        """Analyzed datasets, one or a list: JSON lines with statistics under `__dj__stats__`, unless `ignore_stats`."""
        split_ratios: Annotated[tuple[Ratio, ...], BeforeValidator(as_list), Field(min_length=1)] = (1 / 3, 2 / 3)
        """Where to cut: ascending shares of the rows in (0, 1), numbers or fractions in quotes; by default into thirds."""
        split_num: PositiveInt | None = None
        """Rows of one pool instead, the last may have fewer; wins over `split_ratios`. By default the ratios decide."""
        ignore_stats: bool = False
        """Cut the dataset in the order it has instead of by its statistics; it then needs none."""

        @field_validator("split_ratios")
        @classmethod
        def _ascending(cls, ratios: tuple[float, ...]) -> tuple[float, ...]:
            if any(low >= high for low, high in pairwise(ratios)):
                raise ValueError("the ratios must ascend (0.25, 0.5, 0.75): each is the share of rows before one cut")
            return ratios

    def targets(self) -> list[str]:
        """The pools' paths where `split_ratios` alone decides them."""
        if not self.config.ignore_stats or self.config.split_num is not None:
            return []
        names, count = unique_names(self.config.dataset_path, alike=True), len(self.config.split_ratios) + 1
        return self.exported([_unsorted_name(name, part) for name in names for part in range(count)])

    def run(self) -> list[str]:
        """Write the pools; return their paths, dataset by dataset, statistic by statistic, from low to high."""
        pools, writer = self.read(), self.writer()
        construct = self._in_order if self.config.ignore_stats else self._by_stats
        names = unique_names([pool.path for pool in pools], alike=True)
        return [path for pool, name in zip(pools, names, strict=True) for path in construct(pool, name, writer)]

    def _in_order(self, pool: JsonLines, name: str, writer: PoolWriter) -> list[str]:
        bounds = self._cuts(len(pool))
        if not all_filled(bounds):
            raise ComponentError(
                f"{pool.path} has {len(pool)} rows, too few for {len(bounds) - 1} pools", fix="set fewer split_ratios"
            )
        targets = self.exported([_unsorted_name(name, part) for part in range(len(bounds) - 1)])
        pieces = parts(np.arange(len(pool)), bounds)
        return [writer.write(Path(target), pool.rows(piece)) for target, piece in zip(targets, pieces, strict=True)]

    def _by_stats(self, pool: JsonLines, name: str, writer: PoolWriter) -> list[str]:
        columns = self._usable_columns(pool)
        order, paths = np.arange(len(pool)), []
        safe_stats = unique_names([file_safe(stat) for stat in columns], keep_suffix=True)
        for (stat, column), safe_stat in zip(columns.items(), safe_stats, strict=True):
            # Stable, and from the order of the statistic before: equal values stay as that one had them; NaN comes last.
            order = order[np.argsort(column[order], kind="stable")]
            count = int(np.count_nonzero(~np.isnan(column)))
            if count < len(pool):
                self.logger.warning(
                    "%s: %d rows have no '%s'; they are in none of its pools", pool.path, len(pool) - count, stat
                )
            for part, piece in enumerate(parts(order, self._cuts(count))):
                [target] = self.exported([f"{safe_stat}/{name}_{safe_stat}_{part}.jsonl"])
                paths.append(writer.write(Path(target), pool.rows(piece)))
            self.logger.info("%s: %d rows split by '%s'", pool.path, count, stat)
        return paths

    def _usable_columns(self, pool: JsonLines) -> dict[str, FloatColumn]:
        columns, other = stat_columns(pool)
        if other:
            self.logger.info("%s: not split by %s, which are no numbers", pool.path, ", ".join(other))
        usable = {}
        for stat, column in columns.items():
            count = int(np.count_nonzero(~np.isnan(column)))
            if all_filled(self._cuts(count)):
                usable[stat] = column
            else:
                self.logger.warning(
                    "%s: not split by '%s': only %d rows have it, too few for the parts", pool.path, stat, count
                )
        if not usable:
            raise ComponentError(
                f"{pool.path} cannot be split: none of its statistics ({', '.join([*columns, *other])}) has enough numbers",
                fix="analyze it with an op that computes numbers, set fewer split_ratios, or set ignore_stats: true",
            )
        return usable

    def _cuts(self, count: int) -> list[int]:
        return cuts(count, self.config.split_ratios, self.config.split_num)


def _unsorted_name(name: str, part: int) -> str:
    return f"{name}_ignore_stats_{part}.jsonl"
