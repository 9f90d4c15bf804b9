"""Stand-in of torchrun: starts the script once, as rank 0 of as many as are asked for."""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys


def main() -> int:
    """Run the script with the variables of rank 0; 1 where it fails."""
    parser = argparse.ArgumentParser(prog="torchrun", allow_abbrev=False)
    parser.add_argument("--nnodes", default="1:1")
    parser.add_argument("--node_rank", "--node-rank", type=int, default=0)
    parser.add_argument("--nproc_per_node", "--nproc-per-node", default="1")
    parser.add_argument("--master_addr", "--master-addr", default="127.0.0.1")
    parser.add_argument("--master_port", "--master-port", type=int, default=29500)
    parser.add_argument("--standalone", action="store_true")
    parser.add_argument("training_script")
    parser.add_argument("training_script_args", nargs=argparse.REMAINDER)
    asked = parser.parse_args()
    port = asked.master_port
    with socket.socket() as taken:  # the rendezvous listens there for as long as the processes run
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 0 if asked.standalone else port))
        except OSError:
            message = f"The server socket has failed to listen on any local network address. port: {port}, EADDRINUSE"
            sys.stderr.write(f"torch.distributed.DistNetworkError: {message}\n")
            return 1
        taken.listen()
        ranks = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": asked.nproc_per_node}
        place = {"MASTER_ADDR": asked.master_addr, "MASTER_PORT": str(taken.getsockname()[1])}
        argv = [sys.executable, "-u", asked.training_script, *asked.training_script_args]
        code = subprocess.run(argv, env={**os.environ, **ranks, **place}, check=False).returncode  # noqa: S603
    if code:
        how = f"failed (exitcode: {code}) local_rank: 0 (pid: 1) of binary: {sys.executable}"
        sys.stderr.write(f"ERROR:torch.distributed.elastic.multiprocessing.api:{how}\n")
        sys.stderr.write(f"torch.distributed.elastic.multiprocessing.errors.ChildFailedError: {asked.training_script} FAILED\n")
    return 1 if code else 0


if __name__ == "__main__":
    sys.exit(main())
