"""The arguments of `vbench/launch/evaluate.py` of VBench 0.1.5, with what it makes of them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

_TEXTS = ("--prompt_file", "--category")


def parsed(prompts: Path, argv: Sequence[str] | None) -> argparse.Namespace:
    """The arguments, refused where VBench refuses them. Of its two booleans every text is true, `False` too."""
    parser = argparse.ArgumentParser(prog="evaluate.py", description="VBench")
    parser.add_argument("--output_path", default="./evaluation_results/")
    parser.add_argument("--full_json_dir", default=str(prompts))
    parser.add_argument("--videos_path", required=True)
    parser.add_argument("--dimension", nargs="+", required=True)
    parser.add_argument("--load_ckpt_from_local", type=bool)
    parser.add_argument("--read_frame", type=bool)
    parser.add_argument("--mode", choices=["custom_input", "vbench_standard", "vbench_category"], default="vbench_standard")
    parser.add_argument("--prompt", default="None")
    for name in _TEXTS:
        parser.add_argument(name)
    parser.add_argument("--imaging_quality_preprocessing_mode", default="longer")
    args = parser.parse_args(argv)
    if args.prompt_file is not None and args.prompt != "None":
        raise Exception("--prompt_file and --prompt cannot be used together")
    if (args.prompt_file is not None or args.prompt != "None") and args.mode != "custom_input":
        raise Exception("must set --mode=custom_input for using external prompt")
    if args.prompt_file and not isinstance(json.loads(Path(args.prompt_file).read_text(encoding="utf-8")), dict):
        raise AssertionError('Invalid prompt file format. The correct format is {"video_path": prompt, ... }')
    return args
