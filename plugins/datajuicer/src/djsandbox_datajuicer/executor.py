"""Data-Juicer as a data executor: a recipe in, a processed dataset out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from djsandbox import DECIDED_AT_RUN, BaseDataExecutor, ComponentError, Finding

from djsandbox_datajuicer import reuse
from djsandbox_datajuicer.files import take_place
from djsandbox_datajuicer.recipe import (
    Recipe,
    data_juicer_settings,
    input_files,
    is_repeatable,
    operations,
    surroundings,
)
from djsandbox_datajuicer.recipe_check import check_recipe, check_result


class DJExecutor(BaseDataExecutor):
    """Processes a dataset with a Data-Juicer recipe; its result is the recipe's `export_path`."""

    Config = Recipe
    libraries = ("py-data-juicer",)

    @property
    def deterministic(self) -> bool:  # type: ignore[override]
        """True unless an operator of the recipe draws at random, asks a model server or is the user's own."""
        return is_repeatable(self.config)

    def check(self) -> Iterable[Finding]:
        """Operators, arguments and values that Data-Juicer does not know."""
        yield from check_recipe(self.config)
        yield from check_result(self.config)

    def key_fields(self) -> Mapping[str, Any]:
        """The recipe, less how Data-Juicer works, and the models and word lists that its operators find by themselves."""
        return {**super().key_fields(), "surroundings": surroundings(self.config)}

    def referenced_files(self) -> Iterable[str]:
        """Files that the recipe names: other datasets, those in arguments, the code of the user's own operators."""
        return input_files(self.config)

    def planned_outputs(self) -> Any:
        """The recipe's `export_path`."""
        return self.config.export_path or DECIDED_AT_RUN

    def run(self) -> str:
        """Process the dataset; returns `export_path`, which holds the rows that were kept.

        Statistics that an analysis of this run has computed are used again where they hold. Watches `input_rows`,
        `output_rows` and the rows left after each operator.
        """
        from djsandbox_datajuicer import datasets_in, runtime  # noqa: PLC0415

        if not self.config.export_path:
            raise ComponentError("the recipe does not say where its result goes", fix="set export_path")
        target = Path(self.config.export_path)
        settings = data_juicer_settings(self.config)
        process = [(name, arguments) for _, name, arguments in operations(self.config)]
        work_dir = self.work_dir / "data_juicer"
        written = work_dir / "export" / target.name
        with runtime.session(work_dir, self.context.log_file) as session:
            executor = _executor({**settings, "export_path": str(written.resolve())}, work_dir)
            dataset = datasets_in.load(executor, settings)
            known = reuse.find_known(self.context.cache_dir, settings, process, len(dataset))
            if known is not None:
                self.logger.info("statistics taken from an earlier analysis: %s", ", ".join(known.keys))
            ready = datasets_in.with_statistics(
                dataset, process, datasets_in.read_statistics(known.file, known.keys) if known else None
            )
            result = executor.run(dataset=ready)
            kept = len(result)
            errors = session.operator_errors()
        self._report(len(dataset), kept, session.left_after, errors)
        take_place(written, target)
        runtime.tidy(work_dir)
        return str(self.config.export_path)

    def sample_data(self, sample_ratio: float, sample_algo: str) -> Sequence[Mapping[str, Any]]:
        """Rows of the dataset, chosen by Data-Juicer: a share of them at random, or by the field `data_probe_field`."""
        from djsandbox_datajuicer import datasets_in, runtime  # noqa: PLC0415

        settings = data_juicer_settings(self.config)
        work_dir = self.work_dir / "data_juicer"
        chosen: dict[str, Any] = {"sample_ratio": sample_ratio, "sample_algo": sample_algo}
        if sample_algo != "uniform":
            if not self.config.data_probe_field:
                raise ComponentError(f"'{sample_algo}' needs a field to look at", fix="set data_probe_field in the recipe")
            chosen.update(field_key=self.config.data_probe_field, top_ratio=sample_ratio)
        with runtime.session(work_dir, self.context.log_file):
            executor = _executor({**settings, "export_path": str((work_dir / "sample.jsonl").resolve())}, work_dir)
            dataset = datasets_in.load(executor, settings)
            if sample_algo != "uniform":
                datasets_in.require_field(dataset, self.config.data_probe_field)
            sampled = executor.sample_data(dataset, **chosen)
            rows: list[dict[str, Any]] = sampled.to_list()
        runtime.tidy(work_dir)
        return rows

    def _report(self, before: int, after: int, left_after: Sequence[tuple[str, int]], errors: Sequence[str]) -> None:
        steps = {f"{index}_{name}": left for index, (name, left) in enumerate(left_after, start=1)}
        self.watcher.watch({"input_rows": before, "output_rows": after, "left_after": steps, "operator_errors": len(errors)})
        if errors and not after:
            raise ComponentError(
                f"nothing is left of {before} rows, and operators failed: {errors[0]}", fix="the log of the job has the details"
            )
        if errors:
            self.logger.warning(
                "Data-Juicer dropped the rows that %d failing batches held; the first: %s", len(errors), errors[0]
            )
        if not after:
            self.logger.warning("the recipe keeps none of %d rows: its result is empty", before)


def _executor(settings: dict[str, Any], work_dir: Path) -> Any:
    from data_juicer.core import DefaultExecutor  # noqa: PLC0415

    from djsandbox_datajuicer import datasets_in, runtime  # noqa: PLC0415

    return DefaultExecutor(runtime.parsed(datasets_in.without_shell_syntax(settings), work_dir))
