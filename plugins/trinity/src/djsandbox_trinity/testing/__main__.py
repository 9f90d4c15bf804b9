"""Makes the stand-in and prints the options that let a config use it."""

from __future__ import annotations

import argparse
import sys

from djsandbox_trinity.testing.making import make
from djsandbox_trinity.testing.settings import FAILURES


def main() -> None:
    """Make what the first argument names."""
    parser = argparse.ArgumentParser(
        prog="python -m djsandbox_trinity.testing",
        description="Make a stand-in for Trinity-RFT in FOLDER.",
        epilog=f"ways to fail, named by DJSANDBOX_STANDIN: {', '.join(FAILURES)}",
    )
    parser.add_argument("folder", metavar="FOLDER")
    stand_in = make(parser.parse_args().folder)
    sys.stdout.write(
        f"A stand-in for Trinity-RFT is in {stand_in.folder}. In the extra_configs of a job:\n"
        f"  env_manager: existing\n  env_params: {{path: {stand_in.env}}}\n"
        f"  model_path: {stand_in.model}\n  start_ray: true\n"
    )


if __name__ == "__main__":
    main()
