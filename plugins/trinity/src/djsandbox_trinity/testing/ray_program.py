"""The stand-in's `ray`: `start --head`, `status` and `stop`, enough for who starts, asks for and ends a cluster.

A head is a process that listens at its port. `stop` ends every head of this stand-in, as Ray's own ends every Ray on the
machine: whoever calls it ends other people's work, which tests can see.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from djsandbox_trinity.testing.settings import failure

_GREETING = b"stand-in of ray\n"
_TOKEN = "Ray cluster authentication failed: InvalidAuthToken: the token does not match that of the cluster.\n"  # noqa: S105


def main(arguments: list[str] | None = None) -> int:
    """Do what the arguments say; returns the exit code."""
    options = _parser().parse_args(arguments)
    return {"start": _start, "status": _status, "stop": _stop, "serve": _serve}[options.command](options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ray", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("start", allow_abbrev=False)
    for flag in ("--head", "--block", "--disable-usage-stats"):
        start.add_argument(flag, action="store_true")
    for number in (
        "--port", "--num-cpus", "--num-gpus", "--min-worker-port", "--max-worker-port", "--ray-client-server-port",
        "--dashboard-agent-listen-port", "--dashboard-port", "--node-manager-port", "--object-manager-port",
    ):  # fmt: skip
        start.add_argument(number, type=int)
    for text in ("--address", "--node-ip-address", "--temp-dir", "--include-dashboard", "--dashboard-host"):
        start.add_argument(text)
    commands.add_parser("status", allow_abbrev=False).add_argument("--address")
    commands.add_parser("stop", allow_abbrev=False).add_argument("--force", action="store_true")
    commands.add_parser("serve").add_argument("--port", type=int, required=True)
    return parser


def _heads() -> Path:
    folder = Path(os.environ["DJSANDBOX_STANDIN_BIN"]).parent / "heads"
    folder.mkdir(exist_ok=True)
    return folder


def _start(options: argparse.Namespace) -> int:
    if failure() == "ray-dies":
        sys.stderr.write("RuntimeError: Failed to start GCS: the session folder cannot be written.\n")
        return 1
    if not options.head:
        sys.stderr.write("Error: Missing option '--address': only heads are started here.\n")
        return 2
    port = options.port or 6379
    if _answers(f"127.0.0.1:{port}"):
        sys.stderr.write(f"ConnectionError: Ray is trying to start at 127.0.0.1:{port}, but is already running there.\n")
        return 1
    sys.stdout.write("Local node IP: 127.0.0.1\n\n--------------------\nRay runtime started.\n--------------------\n")
    sys.stdout.flush()
    if options.temp_dir:
        (Path(options.temp_dir) / "session_latest").mkdir(parents=True, exist_ok=True)
    argv = [sys.executable, "-m", __spec__.name if __spec__ else __name__, "serve", "--port", str(port)]
    nothing = subprocess.DEVNULL
    head = subprocess.Popen(  # noqa: S603
        argv, start_new_session=not options.block, stdin=nothing, stdout=nothing, stderr=nothing
    )
    record = _heads() / str(port)
    record.write_text(str(head.pid), encoding="ascii")
    if not options.block:
        while not _answers(f"127.0.0.1:{port}"):
            time.sleep(0.02)
        return 0
    signal.signal(signal.SIGTERM, lambda *_: head.terminate())
    head.wait()
    record.unlink(missing_ok=True)
    return 1


def _serve(options: argparse.Namespace) -> int:
    with socket.create_server(("127.0.0.1", options.port)) as server:
        while True:
            connection, _ = server.accept()
            with connection:
                connection.sendall(_GREETING)


def _status(options: argparse.Namespace) -> int:
    if failure() == "ray-token":
        sys.stderr.write(_TOKEN)
        return 1
    address = options.address or os.environ.get("RAY_ADDRESS")
    found = [address] if address else [f"127.0.0.1:{path.name}" for path in _heads().iterdir()]
    if any(_answers(one) for one in found):
        sys.stdout.write("======== Autoscaler status ========\nNode status\n1 node\n")
        return 0
    sys.stderr.write("ConnectionError: Could not find any running Ray instance. Please specify the one to connect to.\n")
    return 1


def _stop(options: argparse.Namespace) -> int:
    for record in _heads().iterdir():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(record.read_text(encoding="ascii")), signal.SIGKILL if options.force else signal.SIGTERM)
        record.unlink(missing_ok=True)
    sys.stdout.write("Stopped all Ray processes.\n")
    return 0


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            return connection.recv(100) == _GREETING
    except (OSError, ValueError):
        return False


if __name__ == "__main__":
    sys.exit(main())
