"""`python -m djsandbox_internvl.testing FOLDER [--for CONFIG] [--mode MODE]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from djsandbox_internvl.testing.making import make_stand_in
from djsandbox_internvl.testing.programs.standins import MODES
from djsandbox_internvl.testing.settings import options_for

OPTIONS = "options"
"""File in the stand-in's folder with what is printed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the stand-in, and print the options of `djsandbox run` that make a config use it."""
    parser = argparse.ArgumentParser(
        prog="python -m djsandbox_internvl.testing",
        description=f"{main.__doc__} They are in FOLDER/{OPTIONS}, too.",
        epilog="\n".join(["ways to fail:", *(f"  {name:<16} {what}" for name, what in MODES.items())]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", help="where it is made: home/, the checkout; env/, the environment; results/, for a dry run")
    parser.add_argument("--for", dest="config", help="a sandbox config: the options are for each of its jobs, and its results")
    parser.add_argument("--mode", metavar="MODE[:TEXT]", help="how it fails; with TEXT, only tasks with it in their paths do")
    asked = parser.parse_args(arguments)
    if asked.mode is not None and asked.mode.partition(":")[0] not in MODES:
        parser.error(f"there is no mode {asked.mode!r}: {', '.join(MODES)}")
    try:
        stand_in = make_stand_in(asked.folder)
    except ValueError as error:
        parser.error(str(error))
    if asked.config is None:
        options = [f"--set JOB.extra_configs.{key}={value}" for key, value in stand_in.changes(asked.mode).items()]
    else:
        options = options_for(asked.config, stand_in, asked.mode)
    text = "".join(f"{one}\n" for one in options)
    Path(asked.folder, OPTIONS).write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
