"""A Ray head of our own, for the time of one task."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator

READY_WITHIN = 120.0
"""Seconds that a head may take to answer."""
_GRACE = 40.0  # Ray drains a node for up to 30 seconds before it ends it
_ASKING = 60.0


class RayProblem(Exception):
    """Why there is no Ray to work with, and what to do."""


def status(ray: str, env: dict[str, str]) -> tuple[bool, str]:
    """Whether `ray status` finds a cluster, and what it prints."""
    try:
        asked = subprocess.run(  # noqa: S603 - the program of the environment
            [ray, "status"], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=_ASKING, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False, f"`ray status` did not answer within {_ASKING:.0f} seconds"
    return asked.returncode == 0, asked.stdout.decode(errors="replace")


@contextlib.contextmanager
def own_head(ray: str, env: dict[str, str]) -> Iterator[dict[str, str]]:
    """The variables with which programs find a head that lives as long as this is open, and whose end ends only it.

    It listens at ports that were free, with a token of its own, and keeps its files in a temporary folder of its own. It stays
    our child (`--block`) in a process group of its own, so that it can be ended without `ray stop`, which ends every Ray on the
    machine. Ray opens its temporary folder to everybody; what is around it stays ours. RayProblem where it does not start.
    """
    folder = tempfile.mkdtemp(prefix="djr-", dir="/tmp" if os.access("/tmp", os.W_OK) else None)  # noqa: S108 - sockets need short paths
    try:
        port, client, agent = _free_ports(3)
        known = {**env, "RAY_ADDRESS": f"127.0.0.1:{port}", **_token(folder)}
        argv = [
            ray, "start", "--head", "--block", "--node-ip-address=127.0.0.1", f"--port={port}", f"--temp-dir={folder}/r",
            f"--dashboard-agent-listen-port={agent}", "--include-dashboard=false", "--min-worker-port=0",
            "--max-worker-port=0", "--disable-usage-stats",
        ]  # fmt: skip
        if importlib.util.find_spec("grpc") is not None:  # else Ray has no client server, and refuses a port for it
            argv.append(f"--ray-client-server-port={client}")
        log = os.path.join(folder, "start.log")
        with open(log, "wb") as printed:
            head = subprocess.Popen(  # noqa: S603
                argv, env=known, stdin=subprocess.DEVNULL, stdout=printed, stderr=subprocess.STDOUT, start_new_session=True
            )
        try:
            _wait_for(head, ray, known, log)
            yield known
        finally:
            _end(head)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(head: subprocess.Popen[bytes], ray: str, env: dict[str, str], log: str) -> None:
    give_up = time.monotonic() + READY_WITHIN
    while True:
        if head.poll() is not None:
            raise RayProblem(f"the Ray head ended while it started, with exit code {head.returncode}:\n{_tail(log)}")
        is_there, said = status(ray, env)
        if is_there:
            return
        if time.monotonic() > give_up:
            raise RayProblem(f"the Ray head was not ready after {READY_WITHIN:.0f} seconds:\n{said[-1000:]}\n{_tail(log)}")
        time.sleep(0.1)


def _end(head: subprocess.Popen[bytes]) -> None:
    """End the head, which ends what it has started; whatever is left of its process group goes at once."""
    if head.poll() is None:
        head.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            head.wait(_GRACE)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(head.pid, 9)
    head.wait()


def _token(folder: str) -> dict[str, str]:
    """Ray 2.52 and later ask who connects for a token, where they are told to; earlier releases pass over it."""
    path = os.path.join(folder, "token")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32))
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": path}


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _tail(log: str) -> str:
    with open(log, encoding="utf-8", errors="replace") as file:
        return file.read()[-2000:].strip()
