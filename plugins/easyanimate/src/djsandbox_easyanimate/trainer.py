"""The model executor that trains LoRA models of EasyAnimate."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from djsandbox import Finding, Loc, Task, is_decided_at_run, visible_gpus
from djsandbox.errors import ComponentError

from djsandbox_easyanimate.checkpoints import problem_with
from djsandbox_easyanimate.executor import EasyAnimateConfig, EasyAnimateExecutor
from djsandbox_easyanimate.meta import problems_of_meta
from djsandbox_easyanimate.naming import names_of_datasets
from djsandbox_easyanimate.paths import Place
from djsandbox_easyanimate.progress import Progress
from djsandbox_easyanimate.train_task import MANIFEST, read_manifest
from djsandbox_easyanimate.training_arguments import Training, current_arguments, legacy_arguments
from djsandbox_easyanimate.training_config import CURRENT_ONLY, LEGACY_ONLY, TrainBlock
from djsandbox_easyanimate.wandb_settings import KEPT, wandb_variables

_HOW: Loc = ("train", "training_config")
_META: Loc = ("train", "dataset_path", "dataset_meta_name")


class EasyAnimateTrainer(EasyAnimateExecutor):
    """Trains LoRA models of EasyAnimate on video datasets."""

    workers = ("djsandbox_easyanimate.train_task",)

    class Config(EasyAnimateConfig):
        """Model, data and training of `easyanimate`."""

        trainer_name: str | None = None
        """What the trainer is called; for people."""
        train: TrainBlock
        """What is trained, on what, how, and where the model goes."""

        path_places: ClassVar[tuple[Place, ...]] = (
            ("model_path", "transformer_path"),
            ("model_path", "vae_path"),
            ("dataset_path", "dataset_name"),
            ("dataset_path", "dataset_meta_name"),
            ("saving_config", "output_dir"),
        )
        outside_key: ClassVar[frozenset[str]] = frozenset({"trainer_name"})

    legacy_words = (
        ("train", "model_path", "pretrained_model_name_or_path"),
        ("train", "model_path", "transformer_path"),
        ("train", "dataset_path", "dataset_name"),
        ("train", "dataset_path", "dataset_meta_name"),
        ("train", "saving_config", "output_dir"),
        ("train", "tracker_config", "project_name"),
        ("train", "tracker_config", "experiment_name"),
    )

    def key_fields(self) -> Mapping[str, Any]:
        """The config, and the number of GPUs where it leaves that to the machine: a batch is on each of them."""
        return {**super().key_fields(), "gpus": self._gpus}

    def intermediate_metrics(self) -> tuple[str, ...]:
        """The loss of each step, of each training."""
        return ("*.step_loss",)

    def check_more(self) -> Iterable[Finding]:
        """Keys of the other version, GPUs, and what the dataset names."""
        how, saving = self.config.train.training_config, self.config.train.saving_config
        wrong = (CURRENT_ONLY if self.version == "legacy" else LEGACY_ONLY) & how.model_fields_set
        fixes = {"legacy": "leave it out: its train_lora.sh sets it", "current": "use video_sample_size and image_sample_size"}
        for name in sorted(wrong):
            yield Finding((*_HOW, name), f"version '{self.version}' of EasyAnimate has no '{name}'", fixes[self.version])
        if saving.save_state and self.version == "legacy":
            yield Finding(("train", "saving_config", "save_state"), "version 'legacy' keeps no states", "leave it out")
        gpus = len(visible_gpus())
        if how.gpu_num and 0 < gpus < how.gpu_num:
            yield Finding((*_HOW, "gpu_num"), f"it asks for {how.gpu_num} GPUs, and there are {gpus}", "lower gpu_num")
        yield from self._check_model()
        for loc, message, fix in self._dataset_problems():
            yield Finding(loc, message, fix)

    def tasks(self, run_type: str, run_obj: Any = None) -> Iterator[Task]:
        """A training for each dataset."""
        for _, message, fix in self._dataset_problems():  # now that the earlier jobs have written them
            raise ComponentError(message, fix=fix)
        variables = self.variables()
        variables |= wandb_variables(variables, str(self.work_dir.absolute()))
        for one in self._trainings():
            where = (one.unfinished, os.path.abspath(one.folder))
            yield Task(
                name=one.name,
                argv=(sys.executable, "-P", "-m", self.workers[0], *where, "--", *self._program(one)),
                outputs=(os.path.join(one.folder, MANIFEST),),
                cwd=self.home(),
                env=variables,
                keep_env=KEPT,
                gpus=self._gpus,
            )

    def task_result(self, task: Task) -> str:
        """The checkpoint with the highest step."""
        folder = Path(task.outputs[0]).parent
        manifest = read_manifest(folder)
        checkpoint = folder / manifest["checkpoint"]
        problem = problem_with(checkpoint)
        if problem:
            raise ComponentError(problem)
        if not manifest["step"]:
            raise ComponentError(
                "it has trained no step: no batch became full",
                fix="more videos, more epochs, or a smaller batch_size_per_gpu",
            )
        if self._progress.is_lost:
            raise ComponentError(
                "the loss is nan: the weights are of no use", fix="a lower learning rate, bf16 instead of fp16, or other data"
            )
        return str(checkpoint)

    def job_result(self, results: list[Any]) -> Any:
        """The path of the checkpoint; with several datasets the list of them."""
        return results[0] if len(results) == 1 else results

    def _watch_run(self, line: str, **kwargs: Any) -> None:
        """`step_loss`, `lr` and `epoch` of a step become `<meta_name>.<training>.step_loss`, ..."""
        found = self._progress.read(line)
        if found:
            step, metrics = found
            self.watcher.watch({self.context.task or "train": metrics}, step=step)

    @property
    def _gpus(self) -> int:
        return self.config.train.training_config.gpu_num or len(visible_gpus()) or 1

    @cached_property
    def _progress(self) -> Progress:
        return Progress()

    def _check_model(self) -> Iterator[Finding]:
        how, model = self.config.train.training_config, self.config.train.model_path
        home = self._home()
        if self.version == "current" and home and os.path.isdir(home) and not (Path(home) / how.config_path).is_file():
            yield Finding((*_HOW, "config_path"), f"there is no '{how.config_path}' in '{home}'", "see its folder config/")
        name = model.pretrained_model_name_or_path.rstrip("/").lower()
        if self.version == "current" and name.endswith("inp") != (how.train_mode == "inpaint"):
            what = "is an in-painting model by its name" if name.endswith("inp") else "is no in-painting model by its name"
            mode = "inpaint" if name.endswith("inp") else "normal"
            yield Finding((*_HOW, "train_mode"), f"'{name}' {what}", f"train_mode: {mode}", "warning")

    def _trainings(self) -> list[Training]:
        """One for each dataset; the only one is called `train`, and has the folder to itself."""
        train = self.config.train
        datasets, folder = train.dataset_path.dataset_meta_name, train.saving_config.output_dir
        experiment = train.tracker_config.experiment_name
        if len(datasets) == 1:
            return [Training("train", datasets[0], folder, experiment)]
        return [
            Training(name, dataset, os.path.join(folder, name), f"{experiment}-{name}")
            for name, dataset in zip(names_of_datasets(datasets), datasets, strict=True)
        ]

    def _program(self, one: Training) -> list[str]:
        if self.version == "legacy":
            return ["bash", "train_lora.sh", *legacy_arguments(self.config.train, one)]
        accelerate = str(self.environment.path / "bin" / "accelerate")
        return [accelerate, "launch", *current_arguments(self.config.train, one, self._gpus)]

    def _dataset_problems(self) -> Iterator[tuple[Loc, str, str]]:
        """What is wrong with the datasets as far as they are known: where it stands in the config, the message and the fix."""
        data, how = self.config.train.dataset_path, self.config.train.training_config
        datasets = data.dataset_meta_name
        seen = how.num_train_epochs * how.video_repeat
        for at, dataset in enumerate(datasets):
            loc = _META if len(datasets) == 1 else (*_META, at)
            if dataset in datasets[:at] and not is_decided_at_run(dataset):
                yield loc, f"'{dataset}' stands there twice, and would be trained on twice", "name each dataset once"
            at_least = -(-how.batch_size_per_gpu // seen)
            for message, fix in problems_of_meta(dataset, data.dataset_name, self._home(), self.version, at_least=at_least):
                yield loc, message, fix
