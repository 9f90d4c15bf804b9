"""`python -m djsandbox_easyanimate.testing FOLDER`: make the stand-in, and print the options with which a config uses it."""

from __future__ import annotations

import argparse
import os
import sys

from djsandbox.errors import SandboxError

from djsandbox_easyanimate.testing.faults import FAULT, FAULTS
from djsandbox_easyanimate.testing.layout import make_stand_in
from djsandbox_easyanimate.testing.settings import settings_for


def main(arguments: list[str] | None = None) -> int:
    """Make the stand-in in a folder."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    folder = os.path.abspath(asked.folder)
    if any(mark.isspace() for mark in folder):
        parser.error(f"the path '{folder}' has white space, at which a shell would split the options: take another folder")
    wrong = [one for one in asked.env if "=" not in one]
    if wrong:
        parser.error(f"--env {wrong[0]}: write TYPE=FOLDER, the type of a component and the environment of its jobs")
    try:
        made = make_stand_in(folder)
        if asked.config is None:
            lines = [f"--set JOB.extra_configs.{key}={value}" for key, value in made.values(asked.version)]
        else:
            environments = dict(one.split("=", 1) for one in asked.env)
            lines = list(settings_for(asked.config, made, data=asked.data, environments=environments))
    except (SandboxError, OSError, ValueError) as error:
        parser.error(str(error))
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0


def _parser() -> argparse.ArgumentParser:
    faults = "\n".join(f"  {name:<16} {what}" for name, what in FAULTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m djsandbox_easyanimate.testing",
        description="Make a stand-in of EasyAnimate, and print the options of `djsandbox run` with which a config uses it.",
        epilog=f"It fails as {FAULT} says, which reaches it through env_params: {{variables: {{{FAULT}: ...}}}}:\n{faults}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", help="where to make it: home/, legacy/, env/, models/, data/; no white space in its path")
    parser.add_argument("--for", dest="config", help="a sandbox config: prints the options for each of its jobs")
    parser.add_argument("--data", default="videos", help="meta_name of the job that reads the dataset (default: %(default)s)")
    parser.add_argument(
        "--env",
        metavar="TYPE=FOLDER",
        action="append",
        default=[],
        help="the environment of the jobs of another component, such as vbench_video_evaluator=./vbench/env",
    )
    parser.add_argument("--version", choices=("current", "legacy"), default="current", help="whose options, without --for")
    return parser


if __name__ == "__main__":
    sys.exit(main())
