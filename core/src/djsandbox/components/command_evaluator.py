"""The contract of command evaluators: evaluators whose work is done by programs of their own."""

from __future__ import annotations

import asyncio
import copy
from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Self

from djsandbox.components.command_executor import CommandConfig, CommandExecutor
from djsandbox.components.config import ComponentConfig
from djsandbox.components.context import JobContext
from djsandbox.components.roles import BaseEvaluator
from djsandbox.components.task import Task


class CommandEvaluator(BaseEvaluator):
    """Evaluator that does its work in tasks, as a `CommandExecutor` does.

    Subclasses implement `tasks`, `task_result` where a task's output is more than its path, `job_result` where the evaluation
    is more than the list of them, and `_watch_run` where the lines of a task carry metrics.
    """

    Config: ClassVar[type[ComponentConfig]] = CommandConfig

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not (isinstance(cls.Config, type) and issubclass(cls.Config, CommandConfig)):
            raise TypeError(
                f"the Config of the command evaluator {cls.__qualname__} is no CommandConfig: class Config(CommandConfig)"
            )

    @abstractmethod
    def tasks(self, eval_type: str, eval_obj: Any = None) -> Iterable[Task]:
        """The job's tasks, in the order of their results; see `CommandExecutor.tasks`."""

    def task_result(self, task: Task) -> Any:
        """The result of a task that has ended, by default its output or outputs; see `CommandExecutor.task_result`."""
        return list(task.outputs) if len(task.outputs) > 1 else task.outputs[0]

    def job_result(self, results: list[Any]) -> Any:
        """The evaluation, from the results of the tasks in their order: by default the list of them."""
        return results

    def _watch_run(self, line: str, **kwargs: Any) -> Any:
        """Read metrics from a line of a task's output and hand them to `self.watcher`; does nothing unless overridden."""

    def run(self, eval_type: str, eval_obj: Any = None, **kwargs: Any) -> Any:
        """Run all tasks; returns what `job_result` makes of their results. Nothing is returned where one fails."""
        # Under the evaluator's own name, which is what messages about wrong tasks are to say.
        names = {"__module__": type(self).__module__, "__qualname__": type(self).__qualname__}
        executor: CommandExecutor = type(type(self).__name__, (_ForEvaluator,), names)(self)
        return asyncio.run(executor.run(eval_type, eval_obj, **kwargs))


class _ForEvaluator(CommandExecutor):
    """Runs the tasks of an evaluator; of its copies, one for each task, each has a copy of the evaluator of its own."""

    def __init__(self, evaluator: CommandEvaluator) -> None:
        super().__init__(evaluator.config)
        self._evaluator = evaluator
        self.context = evaluator.context

    def attach(self, context: JobContext) -> Self:
        self._evaluator = copy.copy(self._evaluator).attach(context)
        return super().attach(context)

    def tasks(self, run_type: str, run_obj: Any = None) -> Iterable[Task]:
        return self._evaluator.tasks(run_type, run_obj)

    def task_result(self, task: Task) -> Any:
        return self._evaluator.task_result(task)

    def job_result(self, results: list[Any]) -> Any:
        return self._evaluator.job_result(results)

    def _watch_run(self, line: str, **kwargs: Any) -> Any:
        return self._evaluator._watch_run(line, **kwargs)
