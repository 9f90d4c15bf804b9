"""What the stand-in's programs have in common in what they are given."""

from __future__ import annotations

import argparse
import os


def refuse_missing_models(args: argparse.Namespace) -> None:
    """Fail as EasyAnimate does where the config file or the base model is not there."""
    if not os.path.isfile(args.config_path or ""):
        raise FileNotFoundError(f"[Errno 2] No such file or directory: '{args.config_path}'")
    config = os.path.join(args.pretrained_model_name_or_path, "transformer", "config.json")
    if not os.path.isfile(config):
        raise RuntimeError(f"{config} does not exist")
