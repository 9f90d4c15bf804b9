"""The stand-in of `accelerate launch`: it takes the options, and runs the script in one process.

How many it stands for, all visible cards unless said otherwise, is told to the script as WORLD_SIZE.
"""

from __future__ import annotations

import argparse
import os
import sys


def main() -> None:
    """`accelerate launch [options] SCRIPT [arguments]`."""
    parser = argparse.ArgumentParser("accelerate", usage="accelerate <command> [<args>]", allow_abbrev=False)
    launch = parser.add_subparsers(dest="command", required=True).add_parser("launch", allow_abbrev=False)
    launch.add_argument("--mixed_precision", "--mixed-precision", choices=["no", "fp16", "bf16", "fp8"])
    launch.add_argument("--num_processes", "--num-processes", type=int)
    launch.add_argument("--num_machines", type=int)
    launch.add_argument("--main_process_port", type=int)
    launch.add_argument("--deepspeed_config_file")
    launch.add_argument("--dynamo_backend", default="no")
    launch.add_argument("--multi_gpu", action="store_true")
    launch.add_argument("--use_deepspeed", action="store_true")
    launch.add_argument("training_script")
    launch.add_argument("training_script_args", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    sys.stderr.write("The following values were not passed to `accelerate launch` and had defaults used instead:\n")
    sys.stderr.flush()
    visible = [card for card in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if card.strip()]
    os.environ["WORLD_SIZE"] = str(args.num_processes or len(visible) or 1)
    command = [sys.executable, args.training_script, *args.training_script_args]
    os.execv(command[0], command)  # noqa: S606 - what accelerate is for


if __name__ == "__main__":
    main()
