"""What command executors and command evaluators have in common: programs of their own do the work, in tasks."""

from __future__ import annotations

import copy
import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, SkipValidation

from djsandbox.components.base import Component
from djsandbox.components.config import ComponentConfig
from djsandbox.components.context import JobContext
from djsandbox.components.naming import named_class
from djsandbox.components.task import Task, TaskPolicy
from djsandbox.components.task_runner import OneByOne, TaskWork
from djsandbox.components.watching import Complaints, OwnLoop
from djsandbox.errors import ComponentError

_HOW_IT_RUNS = frozenset({"launcher", "on_failure", "retries", "timeout"})


class CommandConfig(ComponentConfig):
    """What the config of every component has that works in tasks: how they are run, which changes no result."""

    launcher: Annotated[str | dict[str, Any] | None, SkipValidation] = (
        None  # the engine does, against the launcher's own options
    )
    """Who runs the tasks: a type, or a mapping of `type` and its options. By default the sandbox config's `launcher`."""
    on_failure: Literal["stop", "finish_others"] = "stop"
    """What becomes of the other tasks when one has failed; the job fails in any case."""
    retries: int = Field(default=0, ge=0, le=100, strict=True)
    """How often a task that fails is tried again."""
    timeout: float | None = Field(default=None, gt=0, allow_inf_nan=False, strict=True)
    """Seconds after which a task is stopped and has failed."""

    outside_key: ClassVar[frozenset[str]] = _HOW_IT_RUNS


class CommandTasks(Component, ABC):
    """Component that does its work in tasks: programs that the engine runs, watches and, on resume, does not repeat."""

    Config: ClassVar[type[ComponentConfig]] = CommandConfig

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not (isinstance(cls.Config, type) and issubclass(cls.Config, CommandConfig)):
            message = (
                f"the Config of {cls.__qualname__}, which works in tasks, is no CommandConfig: class Config(CommandConfig)"
            )
            raise TypeError(message)

    @abstractmethod
    def tasks(self, run_type: str, run_obj: Any = None) -> Iterable[Task]:
        """The job's tasks, in the order of its results; the same config gives the same tasks.

        Small files that a task needs (its config) may be written to `self.work_dir` here; what they hold counts when it is
        decided whether a task has to be repeated.
        """

    def task_result(self, task: Task) -> Any:
        """The result of a task that has ended: by default the path of its output, or the list of them.

        It reads what the task has written, also in a later run that does not repeat the task. Whatever it raises means that the
        task has failed. Called on a copy that belongs to the task, from a thread of its own, as `_watch_run` is: there
        `self.watcher`, `self.logger` and `self.context` are the task's.
        """
        return list(task.outputs) if len(task.outputs) > 1 else task.outputs[0]

    def job_result(self, results: list[Any]) -> Any:
        """The job's outputs, from the results of its tasks in their order: by default the list of them."""
        return results

    def _watch_run(self, line: str, **kwargs: Any) -> Any:
        """Read metrics from a line of a task's output and hand them to `self.watcher`; does nothing unless overridden.

        It may be `async`. What it returns is not used.
        """

    def _run_tasks(self, run_type: str, run_obj: Any, **kwargs: Any) -> Any:
        """What `job_result` makes of the results of all tasks. Nothing is returned where one fails."""
        config = self.config
        policy = TaskPolicy(config.retries, config.on_failure, config.timeout)
        runner = self.context.tasks or OneByOne(self.context)

        def begin(task: Task, context: JobContext) -> TaskWork:
            own = copy.copy(self).attach(replace(context, environment=self.context.environment))
            return TaskWork(lambda line: own._watch(line, **kwargs), lambda: own.task_result(task))

        return self.job_result(runner.run(self._asked(run_type, run_obj), begin, policy))

    def _asked(self, run_type: str, run_obj: Any) -> Iterator[Task]:
        """What `tasks` gives, provided that it is tasks."""
        where = f"{named_class(type(self))}.tasks()"
        asked = self.tasks(run_type, run_obj)
        fix = "yield a djsandbox.Task for each program to run; where there is nothing to do, return an empty list"
        if isinstance(asked, (str, bytes)) or not isinstance(asked, Iterable):
            raise ComponentError(f"{where} gave no tasks, but {_kind_of(asked)}", fix=fix)
        for task in asked:
            if not isinstance(task, Task):
                raise ComponentError(f"{where} gave {_kind_of(task)} where a Task is wanted", fix=fix)
            yield task

    def _watch(self, line: str, **kwargs: Any) -> None:
        try:
            result = self._watch_run(line, **kwargs)
            if inspect.isawaitable(result):
                self._own_loop.wait_for(result)
        except Exception as error:  # a line that cannot be parsed must not stop the training
            self._complaints.about(line, error)

    @functools.cached_property
    def _complaints(self) -> Complaints:
        return Complaints(self.logger)

    @functools.cached_property
    def _own_loop(self) -> OwnLoop:
        """Where an `async` `_watch_run` is run: the same for all lines, because it may keep what belongs to a loop."""
        return OwnLoop()


def _kind_of(value: object) -> str:
    return "None" if value is None else f"a value of type '{type(value).__name__}'"
