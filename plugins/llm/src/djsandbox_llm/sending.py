"""Sending many requests: several at once, again where a failure may pass, and no more than the budget allows."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from djsandbox import ComponentError

from djsandbox_llm.api_config import ApiConfig
from djsandbox_llm.endpoint import Answer, RequestFailed
from djsandbox_llm.rows import Request

_LONGEST_WAIT = 60.0
_LONGEST_ASKED_FOR = 600.0
_KEPT = "the answers so far are kept, --resume goes on with them"

Ask = Callable[[Request], Awaitable[Answer]]
OnAnswer = Callable[[Request, Answer], None]


@dataclass(slots=True)
class Spent:
    """What has been spent."""

    sent: int = 0
    repeated: int = 0
    tokens: int = 0
    failures: int = 0


@dataclass(slots=True)
class Sender:
    """Sends requests and hands on their answers as they arrive, in any order.

    It stops at the first failure that is one too many: what is under way then is still waited for, because it is paid for.
    """

    config: ApiConfig
    ask: Ask
    on_answer: OnAnswer
    logger: logging.Logger
    spent: Spent = field(default_factory=Spent)
    _problem: Exception | None = None
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)
    _not_before: float = 0.0

    async def send(self, requests: Iterator[Request]) -> None:
        """Send all of `requests`; ComponentError where that was stopped, and why."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self.config.concurrency):
                group.create_task(self._work(requests))
        if self._problem is not None:
            raise self._problem

    async def _work(self, requests: Iterator[Request]) -> None:
        while not self._stopped.is_set():
            try:
                request = next(requests, None)
                if request is None:
                    return
                answer = await self._answer(request)
                if answer is not None:
                    self._count(answer)
                    self.on_answer(request, answer)
            except Exception as error:  # of the rows, of what is made of an answer, of a full disk: others are waited for
                self._stop(error)

    async def _answer(self, request: Request) -> Answer | None:
        """The answer to one request; None where it got none, or where we stop."""
        for tried in range(self.config.max_retry_num + 1):
            await self._pause()
            if self._stopped.is_set() or not self._may_send():
                return None
            self.spent.sent += 1
            self.spent.repeated += tried > 0
            try:
                return await self.ask(request)
            except RequestFailed as failure:
                if failure.scope == "all":
                    fix = f"{failure.fix}; {_KEPT}" if failure.fix else _KEPT
                    self._stop(ComponentError(f"the endpoint cannot be used: {failure.reason}", fix=fix))
                    return None
                is_over = failure.scope == "request" or tried == self.config.max_retry_num
                if is_over or (failure.wait or 0.0) > _LONGEST_ASKED_FOR:
                    self._give_up(request, failure, tried)
                    return None
                await self._wait(request, failure, tried)
        return None

    async def _wait(self, request: Request, failure: RequestFailed, tried: int) -> None:
        """Wait before the next try; where the endpoint says how long, all do, because others would only be told the same."""
        longest = min(_LONGEST_WAIT, self.config.retry_wait * 2.0 ** min(tried, 30))
        own = longest * random.uniform(0.5, 1.0)  # noqa: S311 - so that not all come back at once
        wait = own if failure.wait is None else failure.wait
        self.logger.info("%s: %s; again in %.1f s", request.where, failure.reason, wait)
        if failure.wait is None:
            await self._sleep(own)
        else:
            self._not_before = max(self._not_before, time.monotonic() + failure.wait)

    async def _pause(self) -> None:
        """Wait until the endpoint wants to be asked again."""
        while not self._stopped.is_set() and (left := self._not_before - time.monotonic()) > 0:
            await self._sleep(left)

    async def _sleep(self, seconds: float) -> None:
        """Sleep, unless we stop meanwhile."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), seconds)

    def _may_send(self) -> bool:
        for what, budget, used in (
            ("request_budget", self.config.request_budget, self.spent.sent),
            ("token_budget", self.config.token_budget, self.spent.tokens),
        ):
            if budget is not None and used >= budget:
                self._stop(ComponentError(f"the {what} of {budget} is spent", fix=f"raise it; {_KEPT}"))
                return False
        return True

    def _count(self, answer: Answer) -> None:
        if answer.tokens is not None:
            self.spent.tokens += answer.tokens
        elif self.config.token_budget is not None:
            message = "the endpoint does not tell how many tokens an answer took, so that token_budget cannot be kept"
            self._stop(ComponentError(message, fix=f"use request_budget; {_KEPT}"))

    def _give_up(self, request: Request, failure: RequestFailed, tried: int) -> None:
        self.spent.failures += 1
        times = "" if tried == 0 else f" (tried {tried + 1} times)"
        self.logger.warning("%s: no answer: %s%s", request.where, failure.reason, times)
        if self.spent.failures > self.config.max_failures:
            allowed = f", more than max_failures ({self.config.max_failures}) allows" if self.config.max_failures else ""
            message = f"{self.spent.failures} requests have no answer{allowed}: {failure.reason}{times}"
            if self.spent.failures == 1:
                message = f"a request has no answer: {failure.reason}{times}"
            self._stop(ComponentError(message, where=request.where, fix=f"{_KEPT}; max_failures lets some be missing"))

    def _stop(self, problem: Exception) -> None:
        if self._problem is None:
            self._problem = problem
        self._stopped.set()
