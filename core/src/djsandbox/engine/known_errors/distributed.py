"""Known errors of programs that train on several GPUs."""

from __future__ import annotations

from djsandbox.components.known_errors import KnownError

KNOWN_ERRORS = (
    KnownError(
        "the port is taken",
        r"failed to listen on any local network address|\bEADDRINUSE\b|\[Errno 98\]|Error: [Aa]ddress already in use"
        r"|[Aa]ddress already in use \(os error 98\)",
        "Two programs want the same port: two tasks side by side that use one MASTER_PORT, or one that is left of an earlier "
        "run.",
        "Let one task run at a time (launcher: {max_parallel: 1}), or give each a port of its own (MASTER_PORT, "
        "--master_port, --rdzv_endpoint localhost:0). ss -ltnp shows who has it.",
    ),
    KnownError(
        "more processes than GPUs",
        r"Duplicate GPU detected|CUDA error: invalid device ordinal",
        "The program starts more processes than there are cards that it may see, so that two get one, or one that is not "
        "there.",
        "Start as many processes as the task has GPUs (nproc_per_node, num_gpus, GPUS), and see what CUDA_VISIBLE_DEVICES and "
        "launcher: {gpus: ...} leave it.",
    ),
    KnownError(
        "processes waited for each other in vain",
        r"Watchdog caught collective operation timeout",
        "One of the processes was late or has ended, and the others gave up waiting. What happened to that one stands further "
        "up.",
        "Look for the first error of any rank in the log. If one was only slow (preparing data, saving), let the main process "
        "do that before, or raise the timeout (ddp_timeout of transformers).",
    ),
    KnownError(
        "the GPUs cannot talk to each other (NCCL)",
        r"NCCL error in:|\bNCCL error: |\bnccl(?:System|Internal|Remote|UnhandledCuda)Error\b|\bncclInvalidUsage\b",
        "NCCL, by which processes exchange gradients, failed: often the network interface it chose, direct access between the "
        "cards, or too little shared memory in a container.",
        "Set NCCL_DEBUG=INFO and run it again: the log then says what failed (tasks get all NCCL_* variables). What mostly "
        "helps: NCCL_SOCKET_IFNAME=eth0 (or as it is called), NCCL_P2P_DISABLE=1, NCCL_IB_DISABLE=1, a larger /dev/shm.",
    ),
)
"""In the order in which they are documented."""
