"""`python -m djsandbox_llm.testing`: a model server on loopback, alone or for one command."""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from djsandbox_llm.testing.server import MODEL, LoopbackServer

_KEY = "loopback-key"
_PORT = 8299
_NO_COMMAND, _BY_SIGNAL = 127, 128
"""Exit codes, as shells have them."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted, or while a command runs; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m djsandbox_llm.testing",
        description="A model server on 127.0.0.1 that speaks OpenAI's API, without a model: it grades solutions of word "
        "problems by calculating, writes prompts, and echoes the rest.",
    )
    parser.add_argument("--port", type=int, default=None, help=f"default: {_PORT}; with a command another where that is taken")
    parser.add_argument("--fail-every", type=int, default=0, metavar="N", help="answer each N-th request with HTTP 500")
    parser.add_argument(
        "command", nargs=argparse.REMAINDER, help="run this with OPENAI_BASE_URL and a key set, and end with it"
    )
    given = parser.parse_args(arguments)
    command = given.command[1:] if given.command[:1] == ["--"] else given.command
    try:
        serving = _server(given.port, given.fail_every, is_free_choice=bool(command))
    except OSError as error:
        parser.error(f"cannot listen on port {_PORT if given.port is None else given.port}: {error.strerror}; see --port")
    with serving as server:
        variables = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": _KEY}
        if command:
            return _run(command, {**os.environ, **variables})
        sys.stdout.write(f"model '{MODEL}' at {server.url}; in another shell:\n")
        sys.stdout.writelines(f"  export {name}={value}\n" for name, value in variables.items())
        sys.stdout.flush()
        try:
            server.wait()
        except KeyboardInterrupt:
            return 0
    return 0


def _run(command: Sequence[str], variables: Mapping[str, str]) -> int:
    """The exit code of the command, which ends in its own time where the user interrupts it and us together."""
    try:
        process = subprocess.Popen(command, env=variables)  # noqa: S603 - the user's
    except OSError as error:
        sys.stderr.write(f"cannot run '{command[0]}': {error.strerror}\n")
        return _NO_COMMAND
    while True:
        with contextlib.suppress(KeyboardInterrupt):
            code = process.wait()
            return code if code >= 0 else _BY_SIGNAL - code


def _server(port: int | None, fail_every: int, *, is_free_choice: bool) -> LoopbackServer:
    """On the same port each time, where possible: a resumed job takes nothing over from another endpoint."""

    def failing(number: int, _: object) -> str | None:
        return "500" if fail_every and number % fail_every == 0 else None

    try:
        return LoopbackServer(port=_PORT if port is None else port, failing=failing)
    except OSError:
        if port is not None or not is_free_choice:
            raise
        return LoopbackServer(failing=failing)


if __name__ == "__main__":
    sys.exit(main())
