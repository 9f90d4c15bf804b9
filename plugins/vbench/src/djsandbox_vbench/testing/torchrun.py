"""Stands in for `torchrun`: starts a process a rank, and tells of the one that fails as torch.distributed.elastic does."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

_RULE = "=" * 60
_THIN = "-" * 60


def main(argv: Sequence[str]) -> int:
    """`argv`: the folder of the environment, then the arguments of torchrun; returns its exit code."""
    environment = Path(argv[0])
    given = _parser().parse_args(argv[1:])
    program = ["-m", given.training_script] if given.module else [given.training_script]
    command = [str(environment / "bin" / "python"), "-u", *program, *given.training_script_args]
    count = int(given.nproc_per_node)
    ranks = [_start(command, _variables(rank, count)) for rank in range(count)]
    for rank in (*range(1, count), 0):
        process = ranks[rank]
        if rank == 0 and process.stdin is not None:
            process.stdin.close()
        code = process.wait()
        if code:
            for other in ranks:
                other.kill()
            sys.stderr.write(_account(given.training_script, rank, code, process.pid, command[0]))
            return 1
    return 0


def _start(command: Sequence[str], variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """A rank; rank 0 waits for the end of its input, which comes when the others have done their share."""
    return subprocess.Popen(command, env=variables, stdin=subprocess.PIPE)  # noqa: S603 - the command it was given


def _parser() -> argparse.ArgumentParser:
    """The options of torchrun that programs on one machine are started with."""
    parser = argparse.ArgumentParser(prog="torchrun", allow_abbrev=False)
    parser.add_argument("--standalone", action="store_true")
    parser.add_argument("--nnodes", default="1:1")
    parser.add_argument("--nproc-per-node", "--nproc_per_node", default="1")
    parser.add_argument("--master-addr", "--master_addr", default="127.0.0.1")
    parser.add_argument("--master-port", "--master_port", type=int, default=29500)
    parser.add_argument("-m", "--module", action="store_true")
    parser.add_argument("training_script")
    parser.add_argument("training_script_args", nargs=argparse.REMAINDER)
    return parser


def _variables(rank: int, count: int) -> Mapping[str, str]:
    ranks = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count)}
    return {**os.environ, **ranks}


def _account(script: str, rank: int, code: int, pid: int, python: str) -> str:
    cause = "To enable traceback see: https://pytorch.org/docs/stable/elastic/errors.html"
    if code < 0:
        cause = f"Signal {-code} ({signal.Signals(-code).name}) received by PID {pid}"
    return (
        f"E0722 12:00:00.000000 1 torch/distributed/elastic/multiprocessing/api.py:833] failed (exitcode: {code}) "
        f"local_rank: {rank} (pid: {pid}) of binary: {python}\n"
        f"torch.distributed.elastic.multiprocessing.errors.ChildFailedError: \n{_RULE}\n{script} FAILED\n{_THIN}\n"
        f"Failures:\n  <NO_OTHER_FAILURES>\n{_THIN}\nRoot Cause (first observed failure):\n[0]:\n"
        f"  rank      : {rank} (local_rank: {rank})\n  exitcode  : {code} (pid: {pid})\n  error_file: <N/A>\n"
        f"  traceback : {cause}\n{_RULE}\n"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
