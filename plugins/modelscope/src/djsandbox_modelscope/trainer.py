"""The model executor that trains models of ModelScope."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from djsandbox import CommandConfig, CommandExecutor, EnvConfig, Finding, OutputPath, Task
from djsandbox.errors import ComponentError, Position
from pydantic import Field, model_validator

from djsandbox_modelscope.checks import check_training
from djsandbox_modelscope.history import Record, nested, read_history, record_of
from djsandbox_modelscope.sources import Dataset, Device, Model, dataset_order, model_text
from djsandbox_modelscope.worker import configuration, leavings
from djsandbox_modelscope.worker.leavings import BEST_OUTPUT, NOTE, OUTPUT
from djsandbox_modelscope.worker.train import BEGIN

START = Path(leavings.__file__).with_name("start.py")
KEPT = ("MODELSCOPE_API_TOKEN", "DJSANDBOX_OFFLINE")
SECTIONS = ("task", "model", "preprocessor", "dataset", "train", "evaluation", "pipeline")
"""The keys that change the model's configuration.json."""
_TASK = "train"


class ModelscopeTrainExecutor(CommandExecutor):
    """Trains a ModelScope model."""

    class Config(EnvConfig, CommandConfig):
        """Data, model and trainer; what `train` and the other sections say is put into the model's configuration.json."""

        train_dataset: Dataset
        """File or folder of the training data; or a dataset of the hub, `owner/name` or a mapping with `dataset_name`."""
        eval_dataset: Dataset | None = None
        """The same for evaluation, which then takes place after each epoch; left out: nothing is evaluated."""
        work_dir: OutputPath
        """Folder of the training: logs, checkpoints, and in `output` the trained model."""
        model_name: Model
        """Folder of the model to begin with, with a configuration.json; or its name on ModelScope's hub, `owner/name`."""
        model_revision: str | None = None
        """Which version of a hub's model; by default the hub's."""
        trainer_name: str = "trainer"
        """ModelScope's name of the trainer, such as `nlp-base-trainer`."""
        key_remapping: dict[str, str] = Field(default_factory=dict)
        """Keys of the rows to be renamed for the model: `{text: src_txt}`."""
        train: dict[str, Any] = Field(default_factory=dict)
        """ModelScope's settings of the training: `max_epochs`, `optimizer`, `lr_scheduler`, `dataloader`, `logging`, ..."""
        evaluation: dict[str, Any] = Field(default_factory=dict)
        """ModelScope's settings of the evaluation: `metrics`, `dataloader`, `period`."""
        preprocessor: dict[str, Any] = Field(default_factory=dict)
        """What is different in the model's preprocessor: `first_sequence`, `label`, `label2id`, `max_length`, ..."""
        model: dict[str, Any] = Field(default_factory=dict)
        """What is different in the `model` section of its configuration.json."""
        dataset: dict[str, Any] = Field(default_factory=dict)
        """What is different in the `dataset` section of its configuration.json."""
        pipeline: dict[str, Any] = Field(default_factory=dict)
        """What is different in the `pipeline` section of its configuration.json."""
        task: str | None = None
        """The task, where it is another than the model's."""
        seed: int = Field(default=42, ge=0, lt=2**32, strict=True)
        """Seed of all random numbers."""
        device: Device = "gpu"
        """`gpu`: one, where there is any, else the CPU. `cpu`: never a GPU."""
        trust_remote_code: bool = False
        """Whether code and plugins that the model brings may be run."""

        @model_validator(mode="before")
        @classmethod
        def _dotted_keys_are_in_their_sections(cls, data: Any) -> Any:
            """`train.max_epochs: 2`, as ModelScope's configurations take it."""
            if not isinstance(data, dict):
                return data
            result = dict(data)
            for key in data:
                section, dot, rest = str(key).partition(".")
                inside = result.get(section, {})
                if not dot or section not in SECTIONS[1:] or not isinstance(inside, dict):
                    continue
                if rest in inside:
                    raise ValueError(f"'{key}' is there twice: also in '{section}'")
                result[section] = {**inside, rest: result.pop(key)}
            return result

    env = "modelscope"
    workers = tuple(
        f"djsandbox_modelscope.worker.{name}"
        for name in ("start", "train", "changes", "configuration", "leavings", "rows", "hub", "faults")
    )

    def check(self) -> Iterable[Finding]:
        """What the keys, the model's folder and the data that is there tell."""
        return check_training(self.config, self._changes())

    def intermediate_metrics(self) -> Iterable[str]:
        """The loss while it trains, and the evaluations after the epochs."""
        return ("loss", "lr", "evaluation.*")

    def planned_outputs(self) -> tuple[str, str]:
        """The folder of the trained model, and that of the training."""
        return self._model_folder(), self.config.work_dir

    def tasks(self, run_type: str, run_obj: Any = None) -> Iterator[Task]:
        """The one training."""
        config = self.config
        order = {
            "model": model_text(config.model_name),
            "model_revision": config.model_revision,
            "trainer_name": config.trainer_name,
            "train": dataset_order(config.train_dataset),
            "eval": dataset_order(config.eval_dataset),
            "key_remapping": config.key_remapping,
            "changes": self._changes(),
            "work_dir": os.path.abspath(config.work_dir),
            "output": os.path.basename(self._model_folder()),
            "seed": config.seed,
            "device": config.device,
            "trust_remote_code": config.trust_remote_code,
            "scratch": str(self.work_dir.absolute()),
        }
        yield order_task(self, _TASK, order, (self._model_folder(), self._note()), gpus=int(config.device == "gpu"))

    def task_result(self, task: Task) -> tuple[str, str]:
        """The model and the folder of the training, where its history ends in a loss that is a number."""
        note = _read_note(self._note())
        records = [record for path in note["logs"] for record in read_history(path)]
        for record in records:
            self._watch_record(record, note["iterations_per_epoch"])
        _check_loss(records)
        return task.outputs[0], self.config.work_dir

    def job_result(self, results: list[Any]) -> Any:
        """Two outputs: the folder of the trained model, and the folder of the training."""
        return results[0]

    def _watch_run(self, line: str, **kwargs: Any) -> None:
        """Loss, learning rate and evaluations, as `<meta_name>.loss`, `.lr`, `.evaluation.accuracy`."""
        if line == BEGIN:
            self.__dict__["_seen"] = set()
        record = record_of(line)
        if record is not None:
            self.__dict__["_length"] = record.steps_of_epoch or self.__dict__.get("_length")
            self._watch_record(record, self.__dict__["_length"])

    def _watch_record(self, record: Record, steps_of_epoch: int | None) -> None:
        seen: set[Any] = self.__dict__.setdefault("_seen", set())
        if record.place not in seen:
            seen.add(record.place)
            self.watcher.watch(nested(record.values), step=record.step(steps_of_epoch))

    def _changes(self) -> dict[str, Any]:
        given = self.config.model_dump(include=set(SECTIONS), exclude_none=True)
        return {name: given[name] for name in SECTIONS if given.get(name)}

    def _model_folder(self) -> str:
        best = configuration.asks_for(configuration.merged({}, self._changes()), "BestCkptSaverHook")
        return os.path.join(self.config.work_dir, BEST_OUTPUT if best else OUTPUT)

    def _note(self) -> str:
        return os.path.join(self.config.work_dir, NOTE)


def order_task(component: CommandExecutor, name: str, order: dict[str, Any], outputs: tuple[str, ...], *, gpus: int) -> Task:
    """A task that fulfils an order, which is written to the job's folder, in the component's environment."""
    file = component.work_dir / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(order, indent=1, ensure_ascii=False), encoding="utf-8")
    environment = component.environment
    argv = (str(environment.python), str(START), name, str(file.absolute()))
    return Task(name, argv, outputs, env=environment.variables(), keep_env=KEPT, gpus=gpus)


def _read_note(path: str) -> dict[str, Any]:
    try:
        note: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ComponentError(f"the note of the training cannot be read: {error}", where=Position(path)) from error
    return note


def _check_loss(records: list[Record]) -> None:
    """A loss that is no number at the end means that the model is none either."""
    losses = [(record, record.values["loss"]) for record in records if not record.is_evaluation and "loss" in record.values]
    if losses and not math.isfinite(losses[-1][1]):
        record, loss = losses[-1]
        raise ComponentError(
            f"the training diverged: the loss is {loss} in epoch {record.epoch}, step {record.at}",
            fix="lower train.optimizer.lr, or look into the data",
        )
