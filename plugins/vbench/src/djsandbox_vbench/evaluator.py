"""The evaluator of generated videos."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from djsandbox import CommandEvaluator, Finding, Task
from djsandbox.errors import ComponentError

from djsandbox_vbench import report
from djsandbox_vbench.categories import read_category, write_list
from djsandbox_vbench.checks import findings, shares
from djsandbox_vbench.config import VBenchConfig
from djsandbox_vbench.dimensions import DIMENSIONS
from djsandbox_vbench.installed import PROMPT_LIST, prompt_list
from djsandbox_vbench.packages import check_packages
from djsandbox_vbench.prompts import SMALL_LIST
from djsandbox_vbench.results import DimensionResult, read_result

CACHE_VARIABLE = "VBENCH_CACHE_DIR"

_PROGRESS = re.compile(r"(?<![\d.])(?P<done>\d+)/(?P<all>\d+) \[\d+:\d+")
"""The end of a progress bar; those of downloads count in `M` and `G`."""


class VBenchVideoEvaluator(CommandEvaluator):
    """Scores of generated videos in the dimensions of VBench."""

    Config: ClassVar[type[VBenchConfig]] = VBenchConfig

    env = "vbench"

    def env_recipe(self) -> str:
        """The recipe with detectron2 where a dimension needs it."""
        return (
            "vbench-detectron2" if any(DIMENSIONS[name].needs_detectron2 for name in self.config.dimension_list) else "vbench"
        )

    def check(self) -> Iterable[Finding]:
        """What the config and the files that are there already tell."""
        return findings(self.config)

    def tasks(self, eval_type: str, eval_obj: Any = None) -> Iterator[Task]:
        """One evaluation a dimension, once it is known that all videos are there."""
        if eval_type != "data":
            raise ComponentError(f"VBench evaluates data, not '{eval_type}'", fix="use EvaluateDataHook")
        check_packages(self.environment.path, self.config.dimension_list)
        prompts = self._prompts()
        most = shares(self.config, prompts)
        environment = self.environment
        cache = {CACHE_VARIABLE: os.path.abspath(os.environ[CACHE_VARIABLE])} if os.environ.get(CACHE_VARIABLE) else {}
        for name in self.config.dimension_list:
            gpus = min(self.config.num_gpus or 1, most[name])
            folder = self._folder() / name
            launch = (str(environment.path / "bin" / "torchrun"), "--standalone", "--nproc_per_node", str(gpus))
            argv = (*launch, "-m", "vbench.launch.evaluate", *self._arguments(name, folder, prompts))
            # Where it runs comes first among the places of its modules: not where a folder may be called `vbench`.
            yield Task(name, argv, (str(folder),), cwd=str(self.work_dir), env={**cache, **environment.variables()}, gpus=gpus)

    def task_result(self, task: Task) -> DimensionResult:
        """The score of a dimension, where VBench has written one, of all videos."""
        config = self.config
        result = read_result(task.outputs[0], task.name, has_list=config.mode != "custom_input")
        if result.missing and not config.allow_missing_videos:
            raise ComponentError(
                f"VBench missed {result.missing} videos of {task.name}: its score is not that of the prompt list",
                fix="generate them, or allow it with 'allow_missing_videos: true'",
            )
        self.watcher.watch({task.name: report.metrics_of(result)})
        return result

    def job_result(self, results: list[DimensionResult]) -> Any:
        """The mean of the scores, or what else `outputs` names; all of them go to the watcher and into files."""
        evaluation = report.evaluation(results, self.config.missing_dimensions)
        written = report.write(evaluation, results, Path(self.config.output_path), self.config.eval_name)
        self.watcher.watch(evaluation.totals())
        self.watcher.watch_table(*report.table(evaluation, results, self.config.eval_name))
        given: Mapping[str, Any] = {**evaluation.outputs(), **written}
        values = tuple(given[name] for name in self.config.outputs)
        return values[0] if len(values) == 1 else values

    def _watch_run(self, line: str, **kwargs: Any) -> None:
        found = _PROGRESS.search(line)
        if found:
            done, count = int(found["done"]), int(found["all"])
            if 0 < done <= count:
                self.watcher.watch({self.context.task: {"progress": done / count}}, step=done)

    def _folder(self) -> Path:
        return Path(os.path.abspath(self.config.output_path), self.config.eval_name)

    def _prompts(self) -> Path | None:
        """The prompt list; None where the videos are the user's own, of no list."""
        config = self.config
        if config.mode == "custom_input":
            return None
        if config.category is not None:
            listed = read_category(config.category, config.dimension_list)
            return write_list(listed, config.dimension_list, Path(os.path.abspath(self.work_dir), "category.json"))
        if config.full_json_dir is not None:
            return Path(os.path.abspath(config.full_json_dir))
        if config.prompt_list == "small":
            return SMALL_LIST
        found = prompt_list(self.environment.path)
        if found is None:
            raise ComponentError(
                f"there is no vbench/{PROMPT_LIST} in the environment {self.environment.path}",
                fix="name the prompt list in 'full_json_dir', or install vbench there",
            )
        return found

    def _arguments(self, dimension: str, folder: Path, prompts: Path | None) -> Iterator[str]:
        """Of VBench's evaluate.py. Its two booleans take every text for true: they are given only where they are."""
        config = self.config
        yield from ("--videos_path", os.path.abspath(config.videos_path), "--dimension", dimension)
        yield from ("--output_path", str(folder), "--mode", "custom_input" if prompts is None else "vbench_standard")
        if prompts is not None:
            yield from ("--full_json_dir", str(prompts))
        if config.prompt is not None:
            yield from ("--prompt", config.prompt)
        if config.prompt_file is not None:
            yield from ("--prompt_file", os.path.abspath(config.prompt_file))
        for flag in ("load_ckpt_from_local", "read_frame"):
            if getattr(config, flag):
                yield from (f"--{flag}", "True")
        yield from ("--imaging_quality_preprocessing_mode", config.imaging_quality_preprocessing_mode)
