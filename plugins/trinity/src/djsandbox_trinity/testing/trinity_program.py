"""The stand-in's `trinity`: `run` does what it looks like, the other commands are listed only."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from djsandbox_trinity.testing.config import Config, load_config
from djsandbox_trinity.testing.job import run_job
from djsandbox_trinity.testing.printing import Logger
from djsandbox_trinity.testing.settings import failure

_MODES = ("explore", "train", "both", "bench", "serve", "colocate")
_OTHERS = {
    "debug": "Debug a workflow implementation.",
    "studio": "Run studio to manage configurations.",
    "view": "Run the Streamlit viewer to inspect an experience table.",
    "convert": "Convert model checkpoints to huggingface format.",
    "log": "Monitor log files in real-time.",
    "perf": "Performance testing tools.",
}


def main(arguments: list[str] | None = None) -> int:
    """Do what the arguments say; returns the exit code, which is 0 whatever happens to the training."""
    parser = argparse.ArgumentParser(prog="trinity", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", allow_abbrev=False, help="Run RFT process.")
    run.add_argument("--config", "-c", required=True)
    run.add_argument("--dlc", action="store_true")
    run.add_argument("--plugin-dir")
    for name, text in _OTHERS.items():
        commands.add_parser(name, help=text)
    options = parser.parse_args(arguments)
    if options.command != "run":
        sys.stderr.write("only `trinity run` is here\n")
        return 2
    if options.plugin_dir:
        sys.stdout.write(f"loaded plugins from {options.plugin_dir}\n")
    _run(options.config)
    return 0


def _run(config_path: str) -> None:
    if failure() == "exit-0-nothing":
        return
    config = load_config(config_path)
    if not _is_ray_running():
        raise RuntimeError("Ray is not running, please start it by `ray start --head`.")
    if failure() == "old-results":
        return
    if config.mode not in _MODES:
        raise ValueError(f"Invalid mode: {config.mode}")
    job_dir = _job_dir(config)
    sys.stdout.write(f"Config(mode={config.mode!r}, project={config.get('project')!r}, name={config.get('name')!r})\n")
    run_job(config, job_dir)


def _job_dir(config: Config) -> Path:
    wanted = Path(config.get_checkpoint_job_dir()).absolute()
    if wanted.is_dir() and any(wanted.iterdir()) and not config.get("continue_from_checkpoint", default=True):
        wanted = wanted.with_name(f"{wanted.name}_{datetime.now():%Y%m%d%H%M%S}")
        logger = Logger("", os.getpid())
        logger.log("WARNING", "config_validator.py:117", f"Experiment already exists, renamed as {wanted.name}.")
    wanted.mkdir(parents=True, exist_ok=True)
    return wanted


def _is_ray_running() -> bool:
    ray = os.path.join(os.environ["DJSANDBOX_STANDIN_BIN"], "ray")
    return subprocess.run([ray, "status"], capture_output=True, check=False).returncode == 0  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())
