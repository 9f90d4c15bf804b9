"""The contract of command executors: model executors whose work is done by programs of their own."""

from __future__ import annotations

from typing import Any

from djsandbox.components.command_tasks import CommandConfig, CommandTasks
from djsandbox.components.model_executor import BaseModelExecutor

__all__ = ["CommandConfig", "CommandExecutor"]


class CommandExecutor(CommandTasks, BaseModelExecutor):
    """Model executor that does its work in tasks.

    Subclasses implement `tasks`, `task_result` where a task's output is more than its path, `job_result` where the outputs of
    the job are more than the list of them, and `_watch_run` where the lines of a task carry metrics.
    """

    async def run(self, run_type: str, run_obj: Any = None, **kwargs: Any) -> Any:
        """Run all tasks; returns what `job_result` makes of their results. Nothing is returned where one fails."""
        return await self._run(run_type, run_obj, **kwargs)

    async def _run(self, run_type: str, run_obj: Any = None, **kwargs: Any) -> Any:
        return self._run_tasks(run_type, run_obj, **kwargs)
