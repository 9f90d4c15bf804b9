"""The contract of command evaluators: evaluators whose work is done by programs of their own."""

from __future__ import annotations

from typing import Any

from djsandbox.components.command_tasks import CommandTasks
from djsandbox.components.roles import BaseEvaluator


class CommandEvaluator(CommandTasks, BaseEvaluator):
    """Evaluator that does its work in tasks, as a `CommandExecutor` does.

    Subclasses implement `tasks`, whose arguments are those of `run`, `task_result` where a task's output is more than its path,
    `job_result` where the evaluation is more than the list of them, and `_watch_run` where the lines of a task carry metrics.
    """

    def run(self, eval_type: str, eval_obj: Any = None, **kwargs: Any) -> Any:
        """Run all tasks; returns what `job_result` makes of their results. Nothing is returned where one fails."""
        return self._run_tasks(eval_type, eval_obj, **kwargs)
