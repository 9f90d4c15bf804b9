"""The message functions that come with the plugin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Message = dict[str, Any]


def build_messages(item: Mapping[str, Any], **kwargs: Any) -> list[Message]:
    """A system message, where the row has one, and the row's query as the user's.

    `func_kwargs`: `system_key` ("system") and `query_key` ("query") are the keys of the two in a row.
    """
    return [*_system(item, kwargs), {"role": "user", "content": item[kwargs.get("query_key", "query")]}]


def build_messages_for_math_qa(item: Mapping[str, Any], **kwargs: Any) -> list[Message]:
    """A question of mathematics with an answer to be judged, below a system message where the row has one.

    `func_kwargs`: `system_key` ("system"), `query_key` ("query") and `response_key` ("response") are the keys in a row of
    the system message, the question and the answer.
    """
    question, answer = item[kwargs.get("query_key", "query")], item[kwargs.get("response_key", "response")]
    return [*_system(item, kwargs), {"role": "user", "content": f"Question: {question}\nAnswer: {answer}"}]


def parse_output(output: str, item: Mapping[str, Any], **kwargs: Any) -> str:
    """The model's answer as it is."""
    return output


ARGUMENTS: Mapping[Callable[..., Any], frozenset[str]] = {
    build_messages: frozenset({"system_key", "query_key"}),
    build_messages_for_math_qa: frozenset({"system_key", "query_key", "response_key"}),
    parse_output: frozenset(),
}
"""What each of them takes of `func_kwargs`; it passes over the rest."""


def _system(item: Mapping[str, Any], kwargs: Mapping[str, Any]) -> list[Message]:
    text = item.get(kwargs.get("system_key", "system"))
    return [{"role": "system", "content": text}] if text else []
