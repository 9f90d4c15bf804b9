"""The evaluator that runs a ModelScope model over samples."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from djsandbox import CommandConfig, CommandExecutor, EnvConfig, Finding, Task
from djsandbox.errors import ComponentError, Position
from pydantic import Field, field_validator

from djsandbox_modelscope.checks import check_model
from djsandbox_modelscope.sources import Device, Model, model_text
from djsandbox_modelscope.trainer import order_task

_TASK = "infer"
_PROGRESS = re.compile(r"inferred (?P<done>\d+)/(?P<all>\d+)")
_MIN_PROBABILITY = 1e-15
"""So that one hopeless sample costs 34.5 nats, not infinity."""


class ModelscopeInferProbeExecutor(CommandExecutor):
    """Results of a ModelScope model for each sample."""

    class Config(EnvConfig, CommandConfig):
        """The model, its task, and where its input stands in a sample."""

        task: str = Field(min_length=1)
        """ModelScope's name of the task, such as `text-classification`."""
        model: Model
        """Folder of a model with a configuration.json, such as a training's; or its name on ModelScope's hub, `owner/name`."""
        model_revision: str | None = None
        """Which version of a hub's model; by default the hub's."""
        input_key: str | list[str] | None = "text"
        """Key of a sample that the model is given; several are given as a tuple; null: the sample itself, a mapping."""
        key_remapping: dict[str, str] = Field(default_factory=dict)
        """Keys of the samples to be renamed before."""
        label_key: str | None = None
        """Key of the right label: adds `confidence` and `loss` to the results of a classifier."""
        batch_size: int = Field(default=1, ge=1)
        """Samples that the model is given at once."""
        pipeline_params: dict[str, Any] = Field(default_factory=dict)
        """Further arguments of ModelScope's `pipeline()`: `pipeline_name`, `preprocessor`, `first_sequence`, ..."""
        call_params: dict[str, Any] = Field(default_factory=dict)
        """Arguments of each call of the pipeline: `topk`, `max_length`, ..."""
        device: Device = "gpu"
        """`gpu`: one, where there is any, else the CPU. `cpu`: never a GPU."""
        trust_remote_code: bool = False
        """Whether code and plugins that the model brings may be run."""

        @field_validator("pipeline_params")
        @classmethod
        def _keys_of_ours_stay_outside(cls, value: dict[str, Any]) -> dict[str, Any]:
            own = [key for key in ("task", "model", "device", "model_revision", "trust_remote_code") if key in value]
            if own:
                raise ValueError(f"'{own[0]}' is a key of its own, beside pipeline_params")
            return value

    env = "modelscope"
    workers = tuple(f"djsandbox_modelscope.worker.{name}" for name in ("start", "infer", "configuration", "hub", "faults"))

    def check(self) -> Iterable[Finding]:
        """What the model's folder tells."""
        return check_model(self.config.model, "model")

    def tasks(self, run_type: str, run_obj: Any = None) -> Iterator[Task]:
        """The one inference, of all samples in `run_obj`."""
        if run_type != "infer_on_data":
            raise ComponentError(
                f"it looks at samples, it cannot do '{run_type}'", fix="use it in a ProbeViaModelInferHook job"
            )
        samples, results = self.work_dir / "samples.jsonl", self._results()
        samples.parent.mkdir(parents=True, exist_ok=True)
        with samples.open("w", encoding="utf-8") as lines:
            for number, sample in enumerate(run_obj or (), start=1):
                lines.write(f"{_line(sample, number)}\n")
        config = self.config
        kept = ("task", "model_revision", "input_key", "key_remapping", "batch_size", "pipeline_params", "call_params")
        order = {
            **config.model_dump(include={*kept, "device", "trust_remote_code"}),
            "model": model_text(config.model),
            "samples": str(samples.absolute()),
            "results": str(results.absolute()),
        }
        yield order_task(self, _TASK, order, (str(results),), gpus=int(config.device == "gpu"))

    def task_result(self, task: Task) -> list[Any]:
        """What the model says of each sample, in their order."""
        samples = _read(self.work_dir / "samples.jsonl")
        results = _read(self._results())
        return [self._with_label(result, sample) for result, sample in zip(results, samples, strict=True)]

    def job_result(self, results: list[Any]) -> Any:
        """The results of the samples."""
        return results[0]

    def _results(self) -> Path:
        return self.work_dir / "results.jsonl"

    def _watch_run(self, line: str, **kwargs: Any) -> None:
        found = _PROGRESS.match(line)
        if found:
            done = int(found["done"])
            self.watcher.watch({"progress": done / int(found["all"])}, step=done)

    def _with_label(self, result: Any, sample: Mapping[str, Any]) -> Any:
        """A classifier's result with `predicted` and its `score`; with a right label also `confidence` and `loss` in nats."""
        if not isinstance(result, Mapping) or not _is_classification(result):
            if self.config.label_key is not None:
                raise ComponentError(
                    f"'label_key' is for classifiers, whose results have 'labels' and 'scores'; this one has {_shape(result)}",
                    fix="leave 'label_key' out",
                )
            return result
        of_label = dict(zip(map(str, result["labels"]), map(float, result["scores"]), strict=True))
        best = max(of_label, key=lambda label: of_label[label])
        more: dict[str, Any] = {"predicted": best, "score": of_label[best]}
        if self.config.label_key is not None:
            if self.config.label_key not in sample:
                raise ComponentError(f"a sample has no '{self.config.label_key}'", fix="set 'label_key'")
            confidence = of_label.get(str(sample[self.config.label_key]), 0.0)
            more |= {"confidence": confidence, "loss": -math.log(max(confidence, _MIN_PROBABILITY))}
        return {**result, **more}


def _is_classification(result: Mapping[str, Any]) -> bool:
    labels, scores = result.get("labels"), result.get("scores")
    return isinstance(labels, list) and isinstance(scores, list) and len(labels) == len(scores) > 0


def _shape(result: Any) -> str:
    return f"the keys {', '.join(map(str, result))}" if isinstance(result, Mapping) else f"a {type(result).__name__}"


def _line(sample: Mapping[str, Any], number: int) -> str:
    try:
        return json.dumps(dict(sample), ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise ComponentError(f"sample {number} cannot be written as JSON: {error}", fix="sample rows of plain data") from error


def _read(path: Path) -> list[Any]:
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise ComponentError(f"the results cannot be read: {error}", where=Position(str(path))) from error
