"""The config of inference by an endpoint."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from djsandbox_llm.config import InferConfig

DASHSCOPE_KEY, DASHSCOPE_URL = "DASHSCOPE_API_KEY", "DASHSCOPE_BASE_URL"
KEY_VARIABLES = ("OPENAI_API_KEY", DASHSCOPE_KEY)
URL_VARIABLES = ("OPENAI_BASE_URL", "OPENAI_API_URL", DASHSCOPE_URL)
OPENAI_URL = "https://api.openai.com/v1"

_OURS = frozenset({"messages", "input", "model", "stream"})
_KEY_FIX = "set the environment variable OPENAI_API_KEY, or another one that 'api_key_env' names"
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_OF_THE_CLIENT = {"timeout": "timeout", "max_retries": "max_retry_num"}
"""Arguments of OpenAI's client that are keys of ours, by what these are called."""


class ApiModelParams(BaseModel):
    """How the endpoint is reached."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    base_url: str | None = None
    """Where the API is (`http://127.0.0.1:8000/v1`). By default what OPENAI_BASE_URL says, else OpenAI's own."""
    organization: str | None = None
    """OpenAI's organization, where a key has several."""
    project: str | None = None
    """OpenAI's project, where a key has several."""
    default_headers: dict[str, str] = Field(default_factory=dict)
    """Further HTTP headers, none of them secret."""
    default_query: dict[str, str] = Field(default_factory=dict)
    """Further parameters of the URL (`api-version`)."""

    @field_validator("base_url")
    @classmethod
    def _is_a_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("a URL begins with http:// or https://")
        return value

    @field_validator("default_headers")
    @classmethod
    def _headers_hold_no_key(cls, value: dict[str, str]) -> dict[str, str]:
        secret = [name for name in value if name.lower() in ("authorization", "api-key", "x-api-key", "cookie")]
        if secret:
            raise PydanticCustomError("api_key", "'{name}' is secret", {"name": secret[0], "fix": _KEY_FIX})
        return value


class ApiConfig(InferConfig):
    """Which endpoint is asked, how, and how much of it may be spent."""

    model: str | None = None
    """The model's name at the endpoint. Left out: the first that the endpoint lists."""
    model_params: ApiModelParams = Field(default_factory=ApiModelParams)
    """How the endpoint is reached: `base_url`, `organization`, `project`, `default_headers`, `default_query`."""
    api_endpoint: str = "/chat/completions"
    """Path of the endpoint below the base URL, or a whole URL; one with `responses` in it is asked in that API's way."""
    response_path: str | None = None
    """Where in the response the answer stands, dotted; by default `choices.0.message.content`, or what the messages say."""
    api_key_env: str | None = None
    """Name of the environment variable with the API key; by default OPENAI_API_KEY, else DASHSCOPE_API_KEY."""
    max_retry_num: int = Field(default=5, ge=0, le=100, strict=True)
    """How often a request is tried again that failed for a reason that may pass."""
    retry_wait: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    """Seconds before the first of them, doubled from one to the next, at most 60; the endpoint's Retry-After wins."""
    timeout: float = Field(default=120.0, gt=0, allow_inf_nan=False)
    """Seconds that a request may take."""
    concurrency: int = Field(default=8, ge=1, le=1000, strict=True)
    """How many requests are under way at once."""
    request_budget: int | None = Field(default=None, ge=1, strict=True)
    """HTTP requests that one run of the job may send, those that are tried again included."""
    token_budget: int | None = Field(default=None, ge=1, strict=True)
    """Tokens (as the endpoint counts them, of questions and answers) that the job may use, over all runs that resume it."""
    max_failures: int = Field(default=0, ge=0, strict=True)
    """Requests that may stay without an answer; their value in the results is null."""

    outside_key: ClassVar[frozenset[str]] = frozenset(
        {"api_key_env", "max_retry_num", "retry_wait", "timeout", "concurrency", "request_budget", "token_budget"}
    )

    @model_validator(mode="before")
    @classmethod
    def _what_the_client_takes_is_ours(cls, data: Any) -> Any:
        """`timeout` and `max_retries` among `model_params`, where OpenAI's client has them."""
        params = data.get("model_params") if isinstance(data, dict) else None
        if not isinstance(params, dict):
            return data
        moved = {ours: name for name, ours in _OF_THE_CLIENT.items() if params.get(name) is not None}
        said_twice = [ours for ours in moved if ours in data]
        if said_twice:
            raise ValueError(f"'{said_twice[0]}' is there twice: also as 'model_params.{moved[said_twice[0]]}'")
        rest = {name: value for name, value in params.items() if name not in _OF_THE_CLIENT}
        return {**data, "model_params": rest, **{ours: params[name] for ours, name in moved.items()}}

    @field_validator("model_params", mode="before")
    @classmethod
    def _the_key_is_not_in_the_config(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        if value.get("api_key"):
            message = "the API key does not belong into a config"
            raise PydanticCustomError("api_key", message, {"fix": f"take it out and {_KEY_FIX}"})
        return {name: given for name, given in value.items() if name != "api_key"}

    @field_validator("api_key_env")
    @classmethod
    def _a_variable_is_named(cls, value: str | None) -> str | None:
        if value is not None and not _VARIABLE.fullmatch(value):
            fix = f"the key itself does not belong into a config: {_KEY_FIX}"
            raise PydanticCustomError("api_key_env", "that is no name of a variable, in capital letters", {"fix": fix})
        return value

    @field_validator("sampling_params")
    @classmethod
    def _sampling_is_only_that(cls, value: dict[str, Any]) -> dict[str, Any]:
        taken = sorted(_OURS & set(value))
        if taken:
            raise ValueError(f"'{taken[0]}' is not a way to sample: it is set here from other keys, and answers come whole")
        return value

    @field_validator("api_endpoint")
    @classmethod
    def _endpoint_answers_in_text(cls, value: str | None) -> str:
        if "embedd" in (value or ""):
            raise ValueError("an endpoint for embeddings gives no text")
        return value or "/chat/completions"

    @field_validator("api_endpoint", mode="before")
    @classmethod
    def _none_is_the_default(cls, value: Any) -> Any:
        return "/chat/completions" if value is None else value

    def way(self) -> Literal["chat", "responses"]:
        """In which API's way the endpoint is asked."""
        return "responses" if "responses" in self.api_endpoint else "chat"

    def answer_path(self) -> str | None:
        """Where the answer stands in a response; None: in the messages that a response of the Responses API has."""
        return self.response_path or ("choices.0.message.content" if self.way() == "chat" else None)

    def base_url(self) -> str:
        """Where the API is."""
        variable = _first_set(URL_VARIABLES)
        return (self.model_params.base_url or (os.environ[variable] if variable else OPENAI_URL)).rstrip("/")

    def asks_openai(self) -> bool:
        """Whether it is OpenAI's own endpoint that is asked."""
        asked = self.api_endpoint if self.api_endpoint.startswith(("http://", "https://")) else self.base_url()
        return urlsplit(asked).hostname == urlsplit(OPENAI_URL).hostname

    def key_variable(self) -> str | None:
        """The variable with the API key: DashScope's own first where its endpoint is asked. None where none is set."""
        if self.api_key_env:
            return _first_set((self.api_key_env,))
        of_dashscope = self.model_params.base_url is None and _first_set(URL_VARIABLES) == DASHSCOPE_URL
        return _first_set(reversed(KEY_VARIABLES) if of_dashscope else KEY_VARIABLES)

    def api_key(self) -> str | None:
        """The API key; None where there is none."""
        variable = self.key_variable()
        return os.environ[variable] if variable else None


def _first_set(names: Iterable[str]) -> str | None:
    return next((name for name in names if os.environ.get(name)), None)
