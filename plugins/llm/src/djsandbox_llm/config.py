"""What the configs of all three executors have."""

from __future__ import annotations

from typing import Any, ClassVar

from djsandbox import ComponentConfig, InputPaths, MessageFunction, OutputPath
from pydantic import Field, field_validator

_BUILD: Any = "build_messages"
_PARSE: Any = "parse_output"


class InferConfig(ComponentConfig):
    """The rows, what is asked of the model for each, and where the answers go."""

    dataset_path: InputPaths = Field(min_length=1)
    """Data pools, JSON lines: one file or a list."""
    export_path: OutputPath
    """Folder of the results: `<name of the data pool>_inference.jsonl` for each."""
    infer_res_key: str = Field(default="response", min_length=1)
    """Key of the answer in a row of the results."""
    build_messages_func: MessageFunction = Field(default=_BUILD)
    """Makes the messages of a row: a name (`build_messages`, `build_messages_for_math_qa`), or `./file.py:function`."""
    parse_output_func: MessageFunction = Field(default=_PARSE)
    """Makes the value that is kept of a model's answer: a name (`parse_output`), or `./file.py:function`."""
    func_kwargs: dict[str, Any] = Field(default_factory=dict)
    """Keyword arguments of both functions (`system_key`, `query_key`, ...)."""
    sampling_params: dict[str, Any] = Field(default_factory=dict)
    """How the model is to answer (`temperature`, `max_tokens`, ...), in the terms of what runs it."""

    outside_key: ClassVar[frozenset[str]] = frozenset()

    @field_validator("model_params", "sampling_params", "func_kwargs", mode="before", check_fields=False)
    @classmethod
    def _nothing_is_an_empty_mapping(cls, value: object) -> object:
        return {} if value is None else value
