"""The model executor that fine-tunes language models with Trinity-RFT."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from djsandbox import (
    CommandConfig,
    CommandExecutor,
    EnvConfig,
    Finding,
    InputPath,
    InputPaths,
    OutputPath,
    ReferencePath,
    Task,
    unique_names,
)
from djsandbox.errors import ComponentError
from pydantic import Field

from djsandbox_trinity.checkpoints import last_checkpoint, read_note
from djsandbox_trinity.config_check import ConfigCheck, data_paths, gpus_needed
from djsandbox_trinity.config_file import get, read_config, resolved
from djsandbox_trinity.home import SOURCE, has_home, home_change
from djsandbox_trinity.job_check import check_job
from djsandbox_trinity.monitor import Record, record_of
from djsandbox_trinity.reports import failure_in_logs, read_records
from djsandbox_trinity.worker import run as worker
from djsandbox_trinity.written_config import as_folder, data_place, wants_weights, written

_START = Path(worker.__file__).with_name("start.py")
_ONLY_TASK = "train"
_KEPT = (
    "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "HF_TOKEN", "WANDB_API_KEY", "SWANLAB_API_KEY",
    "TINKER_API_KEY", "TRINITY_CHECKPOINT_ROOT_DIR", "TRINITY_MODEL_PATH", "TRINITY_CRITIC_MODEL_PATH", "TRINITY_TASKSET_PATH",
    "TRINITY_BUFFER_PATH", "TRINITY_PLUGIN_DIRS", "TRINITY_LOG_LEVEL", "TRINITY_MAX_EXP_SIZE",
)  # fmt: skip


class TrinityRFTTrainer(CommandExecutor):
    """Reinforcement fine-tuning with Trinity-RFT."""

    class Config(EnvConfig, CommandConfig):
        """The config file of Trinity-RFT, and what is different from it."""

        trinity_config_path: InputPath | None = None
        """Trinity's own config file, YAML."""
        trinity_home: ReferencePath | None = None
        """A checkout of Trinity-RFT to be used; by default release 0.6.0 is installed."""
        overrides: dict[str, Any] = Field(default_factory=dict)
        """What is different from Trinity's file, in the same nesting: `{buffer: {total_steps: 10}}`. Lists are replaced."""
        model_path: ReferencePath | None = None
        """Folder of the model to begin with, instead of the file's `model.model_path`; a hub's name goes to `overrides`."""
        taskset_paths: InputPaths | None = None
        """Data pools, files or folders: each trains a model of its own, on it instead of on the data that the file names."""
        checkpoint_root_dir: OutputPath | None = None
        """Folder of the checkpoints, a folder for each training in it; by default in the job's own folder."""
        continue_from_checkpoint: bool = False
        """Whether the latest try below `checkpoint_root_dir` is continued; otherwise nothing of it is picked up."""
        plugin_dir: InputPath | None = None
        """Folder of modules of your own (workflows, rewards, algorithms) that Trinity loads: its `--plugin-dir`."""
        start_ray: bool = False
        """Whether a Ray of its own is started for each training, and ended with it; no other is touched."""
        ray_address: str | None = None
        """Address of the Ray to use, host:port; by default the one that runs here."""
        num_gpus: int | None = Field(default=None, ge=0, strict=True)
        """GPUs to reserve for a training; by default as many as the Trinity config asks for on a node."""

        outside_key = frozenset({"start_ray", "ray_address"})

    env = "trinity"
    libraries = ()
    workers = tuple(f"djsandbox_trinity.worker.{name}" for name in ("start", "run", "own_ray", "failures", "check_config"))

    def env_recipe(self) -> str:
        """The release, or what is around a checkout of the user's."""
        return SOURCE if has_home(self.config) else "trinity"

    def recipe_changes(self) -> Mapping[str, Any]:
        """`trinity_home` is the checkout of the recipe `trinity-source`; one that is none is told at its own line."""
        return home_change(self.config.trinity_home)

    def check(self) -> Iterable[Finding]:
        """All that can be told of the job's keys and of Trinity's file without Trinity."""
        return check_job(self.config)

    def referenced_files(self) -> Iterable[str]:
        """Data that the Trinity config names and that lies here."""
        path = self.config.trinity_config_path
        if self.config.taskset_paths is not None or path is None or not Path(path).is_file():
            return
        config = ConfigCheck(path, read_config(path), self.config.overrides).whole
        for loc in data_paths(config):
            value = get(config, *loc)
            named = resolved(value) if isinstance(value, str) else None
            if named and os.path.isdir(named):
                yield from sorted(str(file) for file in Path(named).rglob("*") if file.is_file())

    def intermediate_metrics(self) -> Iterable[str]:
        """Whatever the monitor tells, such as `train.critic/rewards/mean`."""
        return ("*.*/*",)

    def tasks(self, run_type: str, run_obj: Any = None) -> Iterator[Task]:
        """One training a data pool, in their order; one in all where none is named."""
        pools = self.config.taskset_paths
        names = unique_names(pools) if pools is not None else [_ONLY_TASK]
        root = Path(self.config.checkpoint_root_dir or self.work_dir / "checkpoints")
        path = run_obj if isinstance(run_obj, str) else self.config.trinity_config_path
        if path is None:
            raise ComponentError("there is no Trinity config", fix="set 'trinity_config_path'")
        base = read_config(path)
        for index, name in enumerate(names):
            config = self._config(base, name, pools[index] if pools is not None else None)
            file = self.work_dir / f"{name}.yaml"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600)  # overrides may hold the keys of trackers
            file.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")
            yield self._task(name, file, root / name, config)

    def _config(self, base: Mapping[str, Any], name: str, pool: str | None) -> dict[str, Any]:
        config = ConfigCheck("", base, self.config.overrides).whole
        place = data_place(config)
        folder = pool and as_folder(pool, get(config, *place, "split"), self.work_dir / "tasksets" / name)
        model = self.config.model_path
        return written(
            base,
            self.config.overrides,
            continues=self.config.continue_from_checkpoint,
            has_address=self.config.start_ray or self.config.ray_address is not None,
            model_path=model and str(Path(model).absolute()),
            pool=(name, folder) if folder else None,
            is_one_of_many=len(self.config.taskset_paths or ()) > 1,
        )

    def _task(self, name: str, file: Path, folder: Path, config: Mapping[str, Any]) -> Task:
        programs = self.environment.path / "bin"
        for program in ("trinity", "ray"):
            if not os.access(programs / program, os.X_OK):
                fix = "name another environment, or leave out env_manager: then one is made"
                raise ComponentError(f"the environment {self.environment.name} has no program '{programs / program}'", fix=fix)
        argv = [
            str(self.environment.python),
            str(_START),
            "--trinity",
            str(programs / "trinity"),
            "--ray",
            str(programs / "ray"),
        ]
        argv += ["--config", str(file.absolute()), "--folder", str(folder.absolute())]
        argv += ["--continues"] * self.config.continue_from_checkpoint + ["--start-ray"] * self.config.start_ray
        if self.config.plugin_dir is not None:
            argv += ["--plugin-dir", str(Path(self.config.plugin_dir).absolute())]
        # Not by `keep_env`: a training that has been done is not done again because Ray has another address now.
        address = self.config.ray_address or os.environ.get("RAY_ADDRESS")
        if address and not self.config.start_ray:
            argv += ["--ray-address", address]
        return Task(
            name,
            tuple(argv),
            (str(folder),),
            env={**self.environment.variables(), "RAY_COLOR_PREFIX": "0", "RAY_DEDUP_LOGS": "0"},
            keep_env=_KEPT,
            gpus=gpus_needed(config) if self.config.num_gpus is None else self.config.num_gpus,
        )

    def task_result(self, task: Task) -> str:
        """The folder of the model, in Hugging Face's format, that the training ended with."""
        folder = Path(task.outputs[0])
        note = read_note(folder / worker.NOTE)
        config = read_config(str(self.work_dir / f"{task.name}.yaml"))
        attempt, before = Path(note["attempt"]), note["sizes_before"]
        failure = failure_in_logs(attempt, before)
        if failure:
            raise ComponentError(f"Trinity's own logs say that it failed: {failure}", fix=f"see {note['job_dir']}/log")
        records = read_records(attempt, before)
        self._watch_results(records)
        job_dir = Path(note["job_dir"])
        stages = config.get("stages") or []
        if stages:
            job_dir = job_dir / str(stages[-1].get("stage_name") or "")
        old = frozenset(note["steps_before"])
        step, checkpoint = last_checkpoint(job_dir, wants_weights=wants_weights(config), steps_before=old)
        check_losses(records)
        self.watcher.watch({"last_step": step}, self._metric_name(), step=step)
        return str(checkpoint)

    def job_result(self, results: list[Any]) -> Any:
        """A list in the order of the data pools; the one folder where none are named."""
        return results if self.config.taskset_paths is not None else results[0]

    def _watch_run(self, line: str, **kwargs: Any) -> None:
        """The numbers of a step become metrics `<meta_name>.<task>.<Trinity's name>`."""
        record = record_of(line)
        if record is not None:
            self._watch_record(record)

    def _watch_record(self, record: Record, exact: Collection[str] = ()) -> None:
        """What was not recorded before; of the metrics in `exact` also what was, where it was another number."""
        seen: dict[tuple[int, str], float] = self.__dict__.setdefault("_seen", {})
        new = {}
        for key, value in record.metrics.items():
            before = seen.get((record.step, key))
            if before is None or (key in exact and before != value and not math.isnan(value)):
                new[key] = seen[record.step, key] = value
        if new:
            self.watcher.watch(new, self._metric_name(), step=record.step)

    def _watch_results(self, records: list[Record]) -> None:
        """What Ray has not handed on, and the last value of each metric as it was written down: lines have six digits of it."""
        last = {key: record.step for record in sorted(records, key=lambda one: one.step) for key in record.metrics}
        for record in records:
            self._watch_record(record, [key for key in record.metrics if last[key] == record.step])

    def _metric_name(self) -> str:
        return ".".join(part for part in (self.context.meta_name, self.context.task) if part)


def check_losses(records: list[Record]) -> None:
    """A loss that is no number at the end means that the model is none either."""
    last: dict[str, tuple[int, float]] = {}
    for record in records:
        for key, value in record.metrics.items():
            if key.endswith("loss") and record.step >= last.get(key, (0, 0.0))[0]:
                last[key] = (record.step, value)
    for key, (step, value) in last.items():
        if not math.isfinite(value):
            fix = "lower the learning rate (overrides: {algorithm: {optimizer: {lr: ...}}}), or look into the data"
            raise ComponentError(f"the training diverged: {key} is {value} at step {step}", fix=fix)
