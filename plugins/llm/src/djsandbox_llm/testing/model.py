"""What the server answers: prompts where prompts are asked for, grades where a solution is to be graded, else an echo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from djsandbox_llm.testing.grader import grade
from djsandbox_llm.testing.optimizer import MARKS, Optimizer

_optimizer = Optimizer()


def reply(messages: Sequence[Any]) -> str:
    """The answer to a conversation."""
    system = " ".join(str(message["content"]) for message in messages if message["role"] == "system")
    user = str(messages[-1]["content"]) if messages else ""
    if any(mark in user for mark in MARKS):
        return _optimizer.write(user)
    if "Question:" in user and "\nAnswer:" in user:
        return grade(system, user)
    return f"You said: {user}"
