"""`python -m djsandbox_easyanimate.testing FOLDER`: make the stand-in, and print the options with which a config uses it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from djsandbox_easyanimate.testing.faults import FAULT, FAULTS
from djsandbox_easyanimate.testing.layout import StandIn, make_stand_in


def main(arguments: list[str] | None = None) -> int:
    """Make the stand-in in a folder."""
    faults = "\n".join(f"  {name:<16} {what}" for name, what in FAULTS.items())
    parser = argparse.ArgumentParser(
        prog="python -m djsandbox_easyanimate.testing",
        description="Make a stand-in of EasyAnimate, and print the options with which a config uses it.",
        epilog=f"It fails as {FAULT} says, which reaches it through env_params: {{variables: {{{FAULT}: ...}}}}:\n{faults}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", help="where to make it: home/, legacy/, env/, models/, data/")
    parser.add_argument("--version", choices=("current", "legacy"), default="current", help="which checkout the options name")
    parser.add_argument("--data", default="videos", help="meta_name of the job that reads the dataset (default: %(default)s)")
    parser.add_argument("--train", default="train", help="meta_name of the training (default: %(default)s)")
    parser.add_argument("--generate", default="generate", help="meta_name of the inference (default: %(default)s)")
    asked = parser.parse_args(arguments)
    for option in options(make_stand_in(asked.folder), asked):
        sys.stdout.write(f"--set {option}\n")
    return 0


def options(made: StandIn, asked: argparse.Namespace) -> Iterator[str]:
    """What `--set` takes, for each of the jobs."""
    yield f"{asked.data}.dj_configs.dataset_path={made.dataset}"
    for job in (asked.train, asked.generate):
        extra = f"{job}.extra_configs"
        yield f"{extra}.env_manager=existing"
        yield f"{extra}.env_params.path={made.env}"
        yield f"{extra}.version={asked.version}"
        yield f"{extra}.easyanimate_home={made.home if asked.version == 'current' else made.legacy}"
        yield f"{extra}.train.model_path.pretrained_model_name_or_path={made.model}"
        if asked.version == "legacy":
            yield f"{extra}.train.model_path.transformer_path={made.transformer}"


if __name__ == "__main__":
    sys.exit(main())
