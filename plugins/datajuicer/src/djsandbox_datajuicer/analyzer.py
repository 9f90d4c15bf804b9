"""Data-Juicer as a data analyzer: statistics of a dataset, for the watcher and for the jobs that follow."""

from __future__ import annotations

import contextlib
import math
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from djsandbox import DECIDED_AT_RUN, BaseDataExecutor, ComponentError, Finding

from djsandbox_datajuicer import reuse
from djsandbox_datajuicer.catalogue import deciding_arguments, operators
from djsandbox_datajuicer.files import take_place
from djsandbox_datajuicer.recipe import (
    EXECUTION_KEYS,
    Recipe,
    data_juicer_settings,
    input_files,
    is_repeatable,
    operations,
    surroundings,
)
from djsandbox_datajuicer.recipe_check import check_recipe, check_result

_NOT_NUMBERS = ("unique", "top", "freq")
_ANALYSED = "analysed.jsonl"


class DJAnalyzer(BaseDataExecutor):
    """Computes the statistics of a recipe's filters and keeps all rows; watched as statistic -> mean, std, min, max, ...

    Its result is the file it wrote: `export_path` with `export_original_dataset: true` (rows and statistics), else the
    statistics alone, in the folder of the job. `save_stats_in_one_file: true` also draws them.
    """

    Config = Recipe
    libraries = ("py-data-juicer",)

    @property
    def deterministic(self) -> bool:  # type: ignore[override]
        """True unless an operator of the recipe draws at random, asks a model server or is the user's own."""
        return is_repeatable(self.config)

    def check(self) -> Iterable[Finding]:
        """Operators, arguments and values that Data-Juicer does not know; a recipe without any statistics."""
        yield from check_recipe(self.config)
        known = operators()
        names = [name for _, name, _ in operations(self.config)]
        if all(name in known and "stats" not in known[name] and not known[name].get("tagging") for name in names):
            yield Finding(("process",), "no operator of the recipe computes statistics", "add a filter to `process`")
        if self.config.export_original_dataset:
            yield from check_result(self.config)

    def key_fields(self) -> Mapping[str, Any]:
        """The recipe without what statistics do not depend on: filter bounds, the number of processes, exports.

        With the models and word lists that its operators find by themselves.
        """
        fields: dict[str, Any] = self.config.model_dump(mode="json", exclude={*EXECUTION_KEYS, "export_path"})
        fields["process"] = [[name, _shaping(name, arguments)] for _, name, arguments in operations(self.config)]
        fields["surroundings"] = surroundings(self.config)
        return fields

    def referenced_files(self) -> Iterable[str]:
        """Files that the recipe names: other datasets, those in arguments, the code of the user's own operators."""
        return input_files(self.config)

    def output_paths(self) -> Sequence[str]:
        """`export_path`, if rows are exported."""
        return [self.config.export_path] if self._exports_rows() else []

    def planned_outputs(self) -> Any:
        """`export_path`, if rows are exported; the file of statistics has its name only when the job runs."""
        return self.config.export_path if self._exports_rows() else DECIDED_AT_RUN

    def run(self) -> str:
        """Analyse the dataset; returns the file that was written."""
        from djsandbox_datajuicer import datasets_in, runtime  # noqa: PLC0415

        settings = data_juicer_settings(self.config)
        process = [(name, arguments) for _, name, arguments in operations(self.config)]
        work_dir = self.work_dir / "data_juicer"
        name = Path(self.config.export_path).name if self._exports_rows() else _ANALYSED
        written = work_dir / "export" / name
        with runtime.session(work_dir, self.context.log_file) as session:
            analyzer = _analyzer({**settings, "export_path": str(written.resolve())}, work_dir)
            dataset = datasets_in.load(analyzer, settings)
            ready = datasets_in.with_statistics(dataset, process)
            with contextlib.nullcontext() if self._draws() else runtime.no_pictures():
                analyzer.run(dataset=ready, skip_export=not self._draws(), skip_return=True)
            errors = session.operator_errors()
        if errors:
            self.logger.warning(
                "Data-Juicer dropped the rows that %d failing batches held; the first: %s", len(errors), errors[0]
            )
        if analyzer.overall_result is None:
            raise ComponentError("no operator of the recipe computes statistics", fix="add a filter to `process`")
        self.watcher.watch(_numbers(analyzer.overall_result))
        result = self._place(written, work_dir, analyzer.overall_result)
        self._leave_record(settings, process, len(dataset), result)
        runtime.tidy(work_dir)
        return result

    def _place(self, written: Path, work_dir: Path, overall: Any) -> str:
        """Move what Data-Juicer wrote to where it belongs; statistics and their overview stay with the job."""
        found = [path for path in written.parent.glob("*_stats.jsonl") if path != written]
        if len(found) != 1:
            raise ComponentError("Data-Juicer wrote no statistics", fix="the log of the job has its reasons")
        take_place(found[0], self._statistics_file)
        overall.to_csv(self.work_dir / "overall.csv")
        pictures = work_dir / "run" / "analysis"
        if self._draws() and pictures.is_dir():
            shutil.copytree(pictures, self.work_dir / "analysis", dirs_exist_ok=True)
        if not self._exports_rows():
            return str(self._statistics_file)
        take_place(written, Path(self.config.export_path))
        return str(self.config.export_path)

    def _leave_record(
        self, settings: dict[str, Any], process: list[tuple[str, dict[str, Any]]], rows: int, result: str
    ) -> None:
        analysed = Path(result) if self._exports_rows() else None
        reuse.leave_record(self.context.cache_dir, settings, process, rows, self._statistics_file, analysed)

    @property
    def _statistics_file(self) -> Path:
        return self.work_dir / _ANALYSED.replace(".jsonl", "_stats.jsonl")

    def _exports_rows(self) -> bool:
        return bool(self.config.export_original_dataset and self.config.export_path)

    def _draws(self) -> bool:
        return bool(self.config.save_stats_in_one_file)


def _shaping(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that the statistics of an operator depend on."""
    if name not in operators() or "stats" not in operators()[name]:
        return dict(arguments)
    return {key: value for key, value in arguments.items() if key not in deciding_arguments(name)}


def _numbers(overall: Any) -> dict[str, dict[str, float]]:
    """Data-Juicer's overview (a row a measure, a column a statistic) as plain numbers; what is not a number is left out."""
    found: dict[str, dict[str, float]] = {}
    for statistic in overall.columns:
        measures = {
            str(measure): float(value)
            for measure, value in overall[statistic].items()
            if measure not in _NOT_NUMBERS and isinstance(value, (int, float)) and math.isfinite(value)
        }
        if measures:
            found[str(statistic)] = measures
    return found


def _analyzer(settings: dict[str, Any], work_dir: Path) -> Any:
    from data_juicer.core import Analyzer  # noqa: PLC0415

    from djsandbox_datajuicer import datasets_in, runtime  # noqa: PLC0415

    if settings.get("save_stats_in_one_file"):
        import matplotlib as mpl  # noqa: PLC0415

        mpl.use("Agg")
    return Analyzer(runtime.parsed(datasets_in.without_shell_syntax(settings), work_dir))
