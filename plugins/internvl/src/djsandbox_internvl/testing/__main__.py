"""`python -m djsandbox_internvl.testing FOLDER [--for CONFIG] [--mode MODE]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from djsandbox_internvl.testing.making import make_stand_in
from djsandbox_internvl.testing.settings import settings_for


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the stand-in, and print the options of `djsandbox run` that make a config use it."""
    parser = argparse.ArgumentParser(prog="python -m djsandbox_internvl.testing", description=main.__doc__)
    parser.add_argument("folder", help="where it is made: home/, the checkout, and env/, the environment")
    parser.add_argument("--for", dest="config", help="a sandbox config: prints the options for each of its jobs")
    parser.add_argument("--mode", help="how it is to fail: the value of DJSANDBOX_STANDIN")
    asked = parser.parse_args(arguments)
    stand_in = make_stand_in(asked.folder)
    if asked.config is None:
        settings = [f"JOB.extra_configs.{key}={value}" for key, value in stand_in.changes(asked.mode).items()]
    else:
        settings = settings_for(asked.config, stand_in, asked.mode)
    sys.stdout.write("".join(f"--set {one}\n" for one in settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
