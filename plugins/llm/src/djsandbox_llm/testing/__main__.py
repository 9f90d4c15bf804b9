"""`python -m djsandbox_llm.testing`: a model server on loopback, alone or for one command."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence

from djsandbox_llm.testing.server import MODEL, LoopbackServer

_KEY = "loopback-key"


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted, or while a command runs; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m djsandbox_llm.testing",
        description="A model server on 127.0.0.1 that speaks OpenAI's API, without a model: it grades solutions of word "
        "problems by calculating, writes prompts, and echoes the rest.",
    )
    parser.add_argument("--port", type=int, default=None, help="default: 8299; with a command: any that is free")
    parser.add_argument("--fail-every", type=int, default=0, metavar="N", help="answer each N-th request with HTTP 500")
    parser.add_argument(
        "command", nargs=argparse.REMAINDER, help="run this with OPENAI_BASE_URL and a key set, and end with it"
    )
    given = parser.parse_args(arguments)
    command = given.command[1:] if given.command[:1] == ["--"] else given.command
    port = given.port if given.port is not None else (0 if command else 8299)
    every = given.fail_every
    with LoopbackServer(port=port, failing=lambda number, _: "500" if every and number % every == 0 else None) as server:
        variables = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": _KEY}
        if command:
            return subprocess.run(command, env={**os.environ, **variables}, check=False).returncode  # noqa: S603 - the user's
        sys.stdout.write(f"model '{MODEL}' at {server.url}; in another shell:\n")
        sys.stdout.writelines(f"  export {name}={value}\n" for name, value in variables.items())
        sys.stdout.flush()
        try:
            server.wait()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
