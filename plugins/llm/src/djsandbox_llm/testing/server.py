"""The server: OpenAI's API over HTTP on loopback."""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from djsandbox_llm.testing.model import reply

Body = Mapping[str, Any]
Failing = Callable[[int, Body], str | None]
"""The number of a request (from 1) and its body: how it is to fail, or None."""

MODEL = "loopback"


class LoopbackServer:
    """Answers `/v1/chat/completions`, `/v1/responses` and `/v1/models`; use it in a `with`.

    `answer` makes the text of an answer from the messages. `failing` says how a request is to fail: an HTTP status (`"500"`;
    `"429:0.2"` with that Retry-After; `"400:content_filter"` with that code), `"timeout"` (no answer as long as the client
    waits), `"cut"` (the connection ends in the middle of the answer), `"refused"` (before it), `"invalid_json"`, `"empty"`, or
    `"no_answer"` (JSON without the answer). With an `api_key` other keys get a 401.
    """

    def __init__(
        self,
        answer: Callable[[list[Any]], str] = reply,
        *,
        failing: Failing | None = None,
        api_key: str | None = None,
        port: int = 0,
        tells_usage: bool = True,
    ) -> None:
        self.answer, self.failing, self.api_key, self.tells_usage = answer, failing, api_key, tells_usage
        self.bodies: list[Body] = []
        """The requests, in the order in which they came."""
        self.headers: list[Mapping[str, str]] = []
        """Their headers, with names in small letters."""
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._under_way = self.most_at_once = 0
        self._server = _Server(("127.0.0.1", port), _handler_of(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """The base URL, as OPENAI_BASE_URL takes it."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait(self) -> None:
        """Serve until interrupted."""
        while self._thread.is_alive():
            self._thread.join(timeout=1)

    def note(self, body: Body, headers: Mapping[str, str]) -> int:
        """Keep a request; returns its number."""
        with self._lock:
            self.bodies.append(body)
            self.headers.append(headers)
            return len(self.bodies)

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """Count how many are under way at once."""
        with self._lock:
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


_numbers = itertools.count(1)


def _handler_of(owner: LoopbackServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            if not self._is_allowed():
                return
            if self.path.split("?")[0] == "/v1/models":
                self._send(200, {"object": "list", "data": [{"id": MODEL, "object": "model"}]})
            else:
                self._send(404, _error(f"no such path: {self.path}", "not_found"))

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = self.path.split("?")[0]
            if not self._is_allowed():
                return
            if path not in ("/v1/chat/completions", "/v1/responses"):
                self._send(404, _error(f"no such path: {self.path}", "not_found"))
                return
            body = json.loads(raw)
            number = owner.note(body, {name.lower(): value for name, value in self.headers.items()})
            with owner.counted():
                failure = owner.failing(number, body) if owner.failing else None
                if failure is None:
                    self._answer(path, body)
                else:
                    self._fail(failure)

        def _is_allowed(self) -> bool:
            if owner.api_key is None or self.headers.get("Authorization") == f"Bearer {owner.api_key}":
                return True
            self._send(401, _error(f"Incorrect API key provided: {self.headers.get('Authorization')}", "invalid_api_key"))
            return False

        def _answer(self, path: str, body: Body) -> None:
            messages = list(body["messages" if path.endswith("completions") else "input"])
            text = owner.answer(messages)
            asked = sum(len(str(message["content"]).split()) for message in messages)
            usage = {"total_tokens": asked + len(text.split())} if owner.tells_usage else None
            made: dict[str, Any] = {"id": f"loopback-{next(_numbers)}", "created": int(time.time()), "model": body.get("model")}
            if path.endswith("completions"):
                choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
                made |= {"object": "chat.completion", "choices": [choice]}
            else:
                content = [{"type": "output_text", "text": text}]
                made |= {"object": "response", "output": [{"type": "message", "role": "assistant", "content": content}]}
            self._send(200, {**made, **({"usage": usage} if usage else {})})

        def _fail(self, failure: str) -> None:
            kind, _, detail = failure.partition(":")
            if kind.isdigit():
                is_wait = detail.replace(".", "").isdigit()
                code = "rate_limit_exceeded" if is_wait or not detail else detail
                headers = {"Retry-After-Ms" if "." in detail else "Retry-After": _wait(detail)} if is_wait else {}
                self._send(int(kind), _error(f"told to fail with {failure}", code), headers)
            elif kind == "timeout":
                self._wait_for_the_client()
            elif kind == "cut":
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b'{"choices": [{"mess')
                self._hang_up()
            elif kind == "refused":
                self._hang_up()
            elif kind in _BAD_BODIES:
                self._send_bytes(200, _BAD_BODIES[kind], {})
            else:
                raise ValueError(f"there is no way to fail called '{failure}'")

        def _wait_for_the_client(self) -> None:
            self.connection.settimeout(0.1)
            while not owner.closing.is_set():
                with contextlib.suppress(TimeoutError):
                    try:
                        if not self.connection.recv(1):
                            break
                    except OSError as error:
                        if isinstance(error, TimeoutError):
                            raise
                        break
            self.close_connection = True

        def _hang_up(self) -> None:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)

        def _send(self, status: int, data: Any, headers: Mapping[str, str] | None = None) -> None:
            self._send_bytes(status, json.dumps(data).encode(), headers or {})

        def _send_bytes(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
            with contextlib.suppress(ConnectionError):
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", "Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

    return Handler


_BAD_BODIES = {
    "invalid_json": b'{"choices": [{"message": ',
    "empty": b"",
    "no_answer": b'{"choices": []}',
}


def _wait(seconds: str) -> str:
    return str(round(float(seconds) * 1000)) if "." in seconds else seconds


def _error(message: str, code: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "error", "param": None, "code": code}}
