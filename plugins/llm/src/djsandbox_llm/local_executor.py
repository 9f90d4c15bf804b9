"""What the two executors share that run a model themselves: one task, which asks it for all the answers."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from djsandbox import CommandExecutor, ComponentError, Finding, Task

from djsandbox_llm.checks import data_findings, model_findings
from djsandbox_llm.inference import log_path, planned_results, pools_of, write_results
from djsandbox_llm.local_config import LocalConfig
from djsandbox_llm.results import PoolWork
from djsandbox_llm.workers.answer_log import AnswerLog

_WORKERS = Path(__file__).with_name("workers")
_PROGRESS = re.compile(r"^answers: (?P<answered>\d+)/(?P<total>\d+)$")
_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")


class LocalInferExecutor(CommandExecutor):
    """Runs `worker`, which answers the requests that it is given in a file, in the environment of the model."""

    Config: ClassVar[type[LocalConfig]] = LocalConfig

    worker: ClassVar[str]
    """Its file, in the package's folder of workers."""

    def check(self) -> Iterable[Finding]:
        """A model that is not there, and data that cannot be asked about."""
        yield from model_findings(self.config.model)
        yield from data_findings(self.config)

    def planned_outputs(self) -> Any:
        """A file of results for each data pool."""
        return planned_results(self.config)

    def intermediate_metrics(self) -> Iterable[str]:
        """How far it is."""
        return ("progress",)

    def gpus(self) -> int:
        """How many GPUs the model is run on, where there are any."""
        return 1

    def tasks(self, run_type: str, run_obj: Any = None) -> Iterator[Task]:
        """One, so that the model is loaded once."""
        pools, environment = pools_of(self.config), self.environment
        requests, answers = self.work_dir / "requests.jsonl", self.work_dir / "answers.jsonl"
        setting = json.dumps(self._setting(), sort_keys=True)
        with requests.open("w", encoding="utf-8") as file:
            for pool in pools:
                for request in pool.requests():
                    asked = {"place": request.place, "request": request.digest(setting), "messages": request.messages}
                    file.write(f"{json.dumps(asked)}\n")
        options = self.work_dir / "options.json"
        options.write_text(json.dumps(self._options()), encoding="utf-8")
        argv = (
            str(environment.python), str(_WORKERS / self.worker), "--requests", str(requests), "--options", str(options),
            "--log", str(log_path(self.context)), "--answers", str(answers),
        )  # fmt: skip
        # A model is told apart by its name: it lies where we do, not in the folder that the worker is run in.
        yield Task("infer", argv, (str(answers),), env=environment.variables(), keep_env=_TOKENS, gpus=self.gpus())

    def task_result(self, task: Task) -> str:
        """The file of the answers, where all are there."""
        pools = pools_of(self.config)
        wanted = sum(abs(count) for pool in pools for count in pool.conversations)
        with AnswerLog(task.outputs[0]) as log:
            if len(log) != wanted:
                raise ComponentError(f"the worker wrote {len(log)} answers, and {wanted} were asked for")
        return task.outputs[0]

    def job_result(self, results: list[Any]) -> list[str]:
        """The files of results, one for each data pool, in their order."""
        pools: list[PoolWork] = pools_of(self.config)
        with AnswerLog(results[0]) as log:
            written = write_results(self.config, pools, log)
        log_path(self.context).unlink(missing_ok=True)
        rows = sum(len(pool.conversations) for pool in pools)
        answers = sum(abs(count) for pool in pools for count in pool.conversations)
        self.watcher.watch_table("Inference", ("model", "rows", "answers"), [(self.config.model, rows, answers)])
        return written

    def _watch_run(self, line: str, **kwargs: Any) -> None:
        found = _PROGRESS.match(line)
        if found:
            answered, total = int(found["answered"]), int(found["total"])
            self.watcher.watch({"answers": answered, "progress": answered / total}, step=answered)

    def _setting(self) -> Mapping[str, Any]:
        config = self.config
        return {
            "model": self._model(),
            "model_params": config.model_params,
            "sampling_params": config.sampling_params,
            "chat_template": self._chat_template(),
        }

    def _options(self) -> Mapping[str, Any]:
        return {**self._setting(), "batch_size": self.config.batch_size}

    def _model(self) -> str:
        path = Path(self.config.model).expanduser()
        return str(path.absolute()) if path.exists() else self.config.model

    def _chat_template(self) -> str | None:
        path = self.config.chat_template
        return None if path is None else Path(os.path.abspath(path)).read_text(encoding="utf-8")
