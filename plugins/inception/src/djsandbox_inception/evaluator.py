"""The evaluator of generated videos."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from djsandbox import CommandEvaluator, Finding, Task
from djsandbox.errors import ComponentError

from djsandbox_inception import recipe, report
from djsandbox_inception.checks import as_read, checked, data_path, detector_file, findings, sides
from djsandbox_inception.config import InceptionConfig
from djsandbox_inception.metrics import METRICS, Metric
from djsandbox_inception.videos import Dataset

_START = Path(__file__).with_name("worker") / "start.py"
_PROGRESS = re.compile(r"features of (?P<side>generated|real) videos: (?P<done>\d+)/(?P<all>\d+)$")
_AT_ONCE = 64  # frames


class InceptionEvaluator(CommandEvaluator):
    """FID, KID, IS and precision/recall of the frames of generated videos, FVD, KVD, ISV and PRV of their clips."""

    Config: ClassVar[type[InceptionConfig]] = InceptionConfig

    deterministic = True
    env = recipe.NAME
    workers = ("djsandbox_inception.worker.start", "djsandbox_inception.worker.evaluate")

    def check(self) -> Iterable[Finding]:
        """What the config and the files that are there already tell."""
        return findings(self.config)

    def referenced_files(self) -> Iterable[str]:
        """The videos that are there."""
        for side in sides(self.config):
            dataset = as_read(self.config, side) if os.path.exists(data_path(self.config, side)) else None
            if isinstance(dataset, Dataset):
                yield from sorted({video.path for video in dataset.videos if os.path.isfile(video.path)})

    def key_fields(self) -> Mapping[str, Any]:
        """With the detectors that come from the cache; of the folders of videos it is the videos that count."""
        fields = {key: value for key, value in super().key_fields().items() if key not in ("fake_mm_dir", "real_mm_dir")}
        if self.config.detector_path is None:
            fields["detectors"] = [[metric.detector.file, metric.detector.sha256] for metric in self.config.metrics]
        return fields

    def planned_outputs(self) -> Any:
        """The names of the results; what they are is decided at run."""
        return report.planned(self.config)

    def tasks(self, eval_type: str, eval_obj: Any = None) -> Iterator[Task]:
        """One a metric, once it is known that all videos are there."""
        if eval_type != "data":
            raise ComponentError(f"inception metrics are of data, not of a '{eval_type}'", fix="use EvaluateDataHook")
        config, environment = self.config, self.environment
        datasets: dict[str, Dataset] = {side: checked(config, side) for side in sides(config)}
        self.work_dir.mkdir(parents=True, exist_ok=True)
        for metric in config.metrics:
            order = self.work_dir.absolute() / f"{metric.name}.order.json"
            output = str(self.work_dir.absolute() / f"{metric.name}.json")
            order.write_text(json.dumps(self._order(metric, datasets, output), ensure_ascii=False), encoding="utf-8")
            argv = (str(environment.python), str(_START), str(order))
            gpus = 0 if config.device == "cpu" else 1
            yield Task(metric.name, argv, (output,), env=environment.variables(), gpus=gpus)

    def task_result(self, task: Task) -> dict[str, Any]:
        """What was computed of one metric."""
        try:
            result = json.loads(Path(task.outputs[0]).read_text(encoding="utf-8"))
            return report.checked(result, METRICS[task.name], self.config.num_runs)
        except (ValueError, KeyError, TypeError) as error:
            raise ComponentError(f"{task.outputs[0]} has no results: {error}", fix="see the log of the task") from error

    def job_result(self, results: list[dict[str, Any]]) -> dict[str, Any]:
        """The results of all metrics, which are also written to `result_path`."""
        if self.config.result_path is not None:
            report.write(self.config, results, Path(self.config.result_path))
        self.watcher.watch_table(*report.table(self.config, results))
        return report.outputs(self.config, results)

    def _watch_run(self, line: str, **kwargs: Any) -> None:
        found = _PROGRESS.search(line)
        if found:
            done = int(found["done"])
            self.watcher.watch({self.context.task: {f"{found['side']}_progress": done / int(found["all"])}}, step=done)

    def _order(self, metric: Metric, datasets: Mapping[str, Dataset], output: str) -> dict[str, Any]:
        config = self.config
        cache = Path(config.cache_path) if config.cache_path else self.context.cache_dir / "inception"
        return {
            "metric": metric.name,
            "keys": metric.keys,
            "computation": metric.computation,
            "options": dict(metric.options),
            "samples": config.num_samples or metric.samples,
            "length": metric.length,
            "spacing": metric.spacing,
            "fake": _listed(datasets["fake"]),
            "real": _listed(datasets["real"]) if metric.needs_real else None,
            "detector": {
                "path": str(detector_file(config, metric.detector)),
                "arguments": dict(metric.arguments),
                "url": metric.detector.url if config.detector_path is None else None,
                "sha256": metric.detector.sha256 if config.detector_path is None else None,
            },
            "height": config.height,
            "width": config.width,
            "seed": config.seed,
            "runs": config.num_runs,
            "skip_short": config.skip_short_videos,
            "batch_size": config.batch_size or max(1, _AT_ONCE // (metric.length or 1)),
            "device": config.device,
            "cache": str(cache.expanduser().absolute()),
            "replace_cache": config.replace_cache,
            "verbose": config.verbose,
            "output": output,
        }


def _listed(dataset: Dataset) -> dict[str, Any]:
    return {"data": dataset.path, "videos": [[video.path, video.line] for video in dataset.videos]}
