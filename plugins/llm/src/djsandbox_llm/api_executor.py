"""Inference by an endpoint that is compatible with OpenAI's API."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from djsandbox import BaseModelExecutor, ComponentError, Finding

from djsandbox_llm.api_config import DASHSCOPE_KEY, KEY_VARIABLES, ApiConfig
from djsandbox_llm.checks import data_findings
from djsandbox_llm.endpoint import Answer, Endpoint, RequestFailed
from djsandbox_llm.inference import open_log, parsing_of, planned_results, pools_of, write_results
from djsandbox_llm.results import PoolWork
from djsandbox_llm.rows import Request
from djsandbox_llm.sending import Sender, Spent
from djsandbox_llm.workers.answer_log import AnswerLog

_SECONDS_BETWEEN_METRICS = 1.0


class ApiInferExecutor(BaseModelExecutor):
    """Inference by an endpoint compatible with OpenAI's API."""

    Config: ClassVar[type[ApiConfig]] = ApiConfig

    def check(self) -> Iterable[Finding]:
        """A key that is missing, and data that cannot be asked about."""
        config = self.config
        elsewhere = "name another endpoint in model_params.base_url or OPENAI_BASE_URL"
        if config.api_key_env and not config.api_key():
            yield Finding(("api_key_env",), f"the environment variable {config.api_key_env} is not set", "export it")
        elif config.asks_openai() and not config.api_key():
            names = " nor ".join(KEY_VARIABLES)
            yield Finding(("type",), f"OpenAI's API wants a key, and neither {names} is set", f"export the key, or {elsewhere}")
        elif config.asks_openai() and config.key_variable() == DASHSCOPE_KEY:
            message = f"{DASHSCOPE_KEY} would be sent to OpenAI: no endpoint is named"
            yield Finding(("type",), message, f"{elsewhere}, or DASHSCOPE_BASE_URL")
        yield from data_findings(config)

    def key_fields(self) -> Mapping[str, Any]:
        """The config, and the endpoint that the environment may name: another one answers otherwise."""
        return {**super().key_fields(), "base_url": self.config.base_url()}

    def planned_outputs(self) -> Any:
        """A file of results for each data pool."""
        return planned_results(self.config)

    def intermediate_metrics(self) -> Iterable[str]:
        """How far it is."""
        return ("progress",)

    async def _run(self, run_type: str, run_obj: Any = None, **kwargs: Any) -> list[str]:
        pools = pools_of(self.config)
        log = open_log(self.context)
        try:
            work = _Work(self, pools, log)
            await work.ask_all()
        except BaseException:
            log.close()
            raise
        written = write_results(self.config, pools, log)
        log.remove()
        work.report()
        return written


class _Work:
    """The requests of one job."""

    def __init__(self, executor: ApiInferExecutor, pools: list[PoolWork], log: AnswerLog) -> None:
        self.config: ApiConfig = executor.config
        self.watcher, self.logger = executor.watcher, executor.logger
        self.pools, self.log = pools, log
        self.parsing = parsing_of(self.config)
        self.total = sum(abs(count) for pool in pools for count in pool.conversations)
        self.kept = self.answered = 0
        self.spent = Spent(tokens=log.tokens)
        self.model = self.config.model or ""
        self._told = 0.0
        self._setting = ""

    async def ask_all(self) -> None:
        """Ask for every answer that is not there yet."""
        async with Endpoint(self.config) as endpoint:
            if endpoint.model is None:
                endpoint.model = await _first_model(endpoint)
            self.model = endpoint.model
            self._setting = self._settings(endpoint)
            sender = Sender(
                self.config, lambda request: endpoint.ask(request.messages), self._on_answer, self.logger, self.spent
            )
            self.logger.info("asking %s of %s for %d answers", endpoint.model, endpoint.shown(), self.total)
            await sender.send(self._todo())

    def report(self) -> None:
        """Tell what was asked and what it took."""
        self._tell()
        spent = self.spent
        columns = ("model", "rows", "answers", "of an earlier attempt", "missing", "requests", "repeated", "tokens")
        rows = sum(len(pool.conversations) for pool in self.pools)
        asked = (self.model, rows, self.answered, self.kept, spent.failures, spent.sent, spent.repeated, spent.tokens)
        self.watcher.watch_table("Inference", columns, [asked])

    def _settings(self, endpoint: Endpoint) -> str:
        config = self.config
        said = [config.base_url(), config.api_endpoint, config.answer_path(), endpoint.model, config.sampling_params]
        return json.dumps(said, sort_keys=True, default=str)

    def _todo(self) -> Iterator[Request]:
        """The requests that are not answered, one at a time as they are wanted."""
        for pool in self.pools:
            for request in pool.requests():
                if self.log.has(request.place, request.digest(self._setting)):
                    self.kept += 1
                    self.answered += 1
                else:
                    self.log.forget(request.place)
                    yield request

    def _on_answer(self, request: Request, answer: Answer) -> None:
        self.log.add(request.place, request.digest(self._setting), answer.text, answer.tokens or 0)
        self.answered += 1
        if time.monotonic() - self._told >= _SECONDS_BETWEEN_METRICS:
            self._tell()
        self.parsing.value(answer.text, request.row, request.where)  # fails now rather than after all are paid for

    def _tell(self) -> None:
        self._told = time.monotonic()
        self.logger.info("%d of %d answers", self.answered, self.total)
        spent = {"requests": self.spent.sent, "repeated": self.spent.repeated, "tokens": self.spent.tokens}
        progress = {"progress": self.answered / self.total} if self.total else {}
        self.watcher.watch({**progress, "answers": self.answered, "failures": self.spent.failures, **spent}, step=self.answered)


async def _first_model(endpoint: Endpoint) -> str:
    try:
        return await endpoint.first_model()
    except RequestFailed as failure:
        raise ComponentError(
            f"{endpoint.shown()} does not list its models: {failure.reason}", fix="name one in 'model'"
        ) from failure
