"""One endpoint: how it is asked, and what its answers and failures mean."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from djsandbox import ComponentError

from djsandbox_llm.api_config import KEY_VARIABLES, ApiConfig
from djsandbox_llm.messages import Message

_NO_KEY = "no-key"
_LONGEST_REASON = 300
_MAY_PASS = frozenset({408, 409, 425, 429})
_ABOUT_ALL = frozenset({401, 402, 403, 404, 405})
_USED_UP = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_URL_USER = re.compile(r"(?<=://)[^/@\s]*@")

Scope = Literal["passing", "request", "all"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said, and the tokens that it took; None where the endpoint does not tell."""

    text: str
    tokens: int | None


class RequestFailed(Exception):
    """A request without an answer.

    `scope` says what follows: it may pass (try again, after `wait` seconds where the endpoint says so), it is the fault of this
    request, or it would be the same for all.
    """

    def __init__(self, reason: str, scope: Scope, wait: float | None = None, fix: str | None = None) -> None:
        super().__init__(reason)
        self.reason, self.scope, self.wait, self.fix = reason, scope, wait, fix


class Endpoint:
    """Asks one endpoint through the client of `openai`, which is left to try nothing again by itself."""

    def __init__(self, config: ApiConfig) -> None:
        import openai  # noqa: PLC0415 - takes half a second

        self._config = config
        self._key = config.api_key()
        params = config.model_params
        self._client = openai.AsyncOpenAI(
            api_key=self._key or _NO_KEY,
            base_url=config.base_url(),
            organization=params.organization,
            project=params.project,
            default_headers=params.default_headers or None,
            default_query=params.default_query or None,
            timeout=config.timeout,
            max_retries=0,
        )
        self.model = config.model

    async def __aenter__(self) -> Endpoint:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    def shown(self) -> str:
        """Where it is, without what a URL may hold of a user's password."""
        return _URL_USER.sub("", self._config.base_url())

    async def first_model(self) -> str:
        """The first of the models that the endpoint lists."""
        listed = await self._sent("GET", "/models", None)
        try:
            return str(listed["data"][0]["id"])
        except (LookupError, TypeError) as error:
            raise ComponentError(f"{self.shown()} lists no models", fix="name one in 'model'") from error

    async def ask(self, messages: list[Message]) -> Answer:
        """The model's answer to a conversation; RequestFailed where there is none."""
        field = "input" if self._config.way() == "responses" else "messages"
        body = {**self._config.sampling_params, "model": self.model, field: messages}
        response = await self._sent("POST", self._config.api_endpoint, body)
        return Answer(self._text(response), _tokens(response))

    async def _sent(self, method: Literal["GET", "POST"], path: str, body: Mapping[str, Any] | None) -> Any:
        import openai  # noqa: PLC0415

        try:
            if method == "GET":
                text = await self._client.get(path, cast_to=str)
            else:
                text = await self._client.post(path, cast_to=str, body=body)
        except openai.APITimeoutError as error:
            raise RequestFailed(f"no answer within {self._config.timeout:g} s", "passing") from error
        except openai.APIConnectionError as error:
            raise RequestFailed(self._hidden(f"the connection failed: {_cause(error)}"), "passing") from error
        except openai.APIStatusError as error:
            raise self._refused(error) from error
        try:
            return json.loads(text)
        except ValueError as error:
            what = "with an empty body" if not text.strip() else f"with what is no JSON: {_short(text)}"
            raise RequestFailed(self._hidden(f"it answered {what}"), "passing") from error

    def _refused(self, error: Any) -> RequestFailed:
        """What a status other than success means."""
        status, code, headers = error.status_code, getattr(error, "code", None), error.response.headers
        reason = self._hidden(f"HTTP {status}: {_short(_message(error))}")
        if status == 401:
            return RequestFailed(reason, "all", fix=self._about_the_key())
        if code in _USED_UP:
            return RequestFailed(reason, "all", fix="the account has nothing left to spend; --resume goes on from here")
        if status in _ABOUT_ALL or 300 <= status < 400:
            return RequestFailed(
                reason, "all", fix=f"it was asked of {self.shown()}: see 'model', 'api_endpoint' and the base URL"
            )
        said = headers.get("x-should-retry")
        may_pass = said == "true" or (said != "false" and (status in _MAY_PASS or status >= 500))
        return RequestFailed(reason, "passing" if may_pass else "request", _retry_after(headers))

    def _about_the_key(self) -> str:
        names = self._config.api_key_env or " or ".join(KEY_VARIABLES)
        return f"the API key in {names} is not valid there" if self._key else f"it wants an API key: set {names}"

    def _text(self, response: Any) -> str:
        path = self._config.answer_path()
        try:
            found = _said(response) if path is None else _at(response, path)
        except (LookupError, TypeError, ValueError):
            what = _short(json.dumps(response, ensure_ascii=False))
            missing = path or "output"
            raise RequestFailed(self._hidden(f"there is no '{missing}' in its answer: {what}"), "passing") from None
        if found is None:  # a refusal, or a call of a tool
            return ""
        return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)

    def _hidden(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text


def _at(response: Any, path: str) -> Any:
    found = response
    for step in path.split("."):
        found = found[int(step)] if isinstance(found, list) else found[step]
    return found


def _said(response: Any) -> str:
    """What the messages of a response of the Responses API say; thoughts and calls of tools stand among them."""
    contents = [item["content"] for item in response["output"] if item["type"] == "message"]
    return "".join(part["text"] for content in contents for part in content if part["type"] == "output_text")


def _message(error: Any) -> str:
    body = error.body if isinstance(error.body, Mapping) else {}
    return str(body.get("message") or error.response.text or error.message)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_REASON else f"{line[:_LONGEST_REASON]}..."


def _cause(error: BaseException) -> str:
    """What is at the bottom of a failed connection, which the client tells as 'Connection error.'."""
    while error.__cause__ is not None or error.__context__ is not None:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return _short(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that the endpoint wants to be left alone; None where it does not say."""
    milliseconds, said = headers.get("retry-after-ms"), headers.get("retry-after")
    try:
        if milliseconds is not None:
            return max(0.0, float(milliseconds) / 1000)
        if said is None:
            return None
        return (
            max(0.0, float(said)) if said.strip().isdigit() else max(0.0, parsedate_to_datetime(said).timestamp() - time.time())
        )
    except (ValueError, OverflowError):
        return None


def _tokens(response: Any) -> int | None:
    usage = response.get("usage") if isinstance(response, Mapping) else None
    total = usage.get("total_tokens") if isinstance(usage, Mapping) else None
    return total if isinstance(total, int) else None
