"""`python -m djsandbox_easyanimate.testing FOLDER`: make the stand-in, and say with which options a config uses it."""

from __future__ import annotations

import argparse
import sys

from djsandbox_easyanimate.testing.faults import FAULT, FAULTS
from djsandbox_easyanimate.testing.layout import make_stand_in


def main(arguments: list[str] | None = None) -> int:
    """Make the stand-in in a folder."""
    parser = argparse.ArgumentParser(prog="python -m djsandbox_easyanimate.testing", description=__doc__)
    parser.add_argument("folder", help="where to make it: home/, legacy/, env/, models/, data/")
    made = make_stand_in(parser.parse_args(arguments).folder)
    sys.stdout.write(
        f"version: current   easyanimate_home: {made.home}\n"
        f"version: legacy    easyanimate_home: {made.legacy}\n"
        f"both               env_manager: existing   env_params: {{path: {made.env}}}\n"
        f"model              {made.model}\ntransformer        {made.transformer}\n"
        f"data               {made.dataset}\nprompts            {made.prompts}\n"
        f"failures           env_params: {{path: {made.env}, variables: {{{FAULT}: ...}}}}, one of: {', '.join(FAULTS)}\n\n"
        "for a job of its own:\n"
        f"  --set extra_configs.env_manager=existing --set extra_configs.env_params.path={made.env}"
        f" --set extra_configs.easyanimate_home={made.home}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
