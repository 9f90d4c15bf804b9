"""Makes the stand-in and prints the options of `djsandbox run` that let a config use it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from djsandbox_trinity.testing.making import StandIn, make
from djsandbox_trinity.testing.settings import FAILURES

_DESCRIPTION = """\
Make a stand-in for Trinity-RFT and Ray in FOLDER, and print the options of djsandbox run that let a config use it:

  djsandbox run sandbox.yaml $(python -m djsandbox_trinity.testing FOLDER)
"""


def main(arguments: list[str] | None = None) -> int:
    """Make it, and print the options, one a line."""
    failures = "\n".join(f"  {name:<16} {what}" for name, what in FAILURES.items())
    parser = argparse.ArgumentParser(
        prog="python -m djsandbox_trinity.testing",
        description=_DESCRIPTION,
        epilog=f"ways to fail, by env_params: {{variables: {{DJSANDBOX_STANDIN: ...}}}}:\n{failures}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", metavar="FOLDER", help="where it is made: home/, env/, model/; no white space in its path")
    parser.add_argument(
        "--job", default="train", help="the job that trains: its meta_name, or its place (default: %(default)s)"
    )
    asked = parser.parse_args(arguments)
    path = str(Path(asked.folder).absolute())
    if any(sign.isspace() for sign in path):
        parser.error(f"the path '{path}' has white space, at which a shell would split the options: take another folder")
    for option in _options(make(path), asked.job):
        sys.stdout.write(f"--set {option}\n")
    return 0


def _options(made: StandIn, job: str) -> Iterator[str]:
    yield f"{job}.extra_configs.env_manager=existing"
    yield f"{job}.extra_configs.env_params.path={made.env}"
    yield f"{job}.extra_configs.model_path={made.model}"
    yield f"{job}.extra_configs.start_ray=true"


if __name__ == "__main__":
    sys.exit(main())
