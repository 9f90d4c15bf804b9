"""Runs VBench's own code without what it depends on: `python vbench_without_dependencies.py PACKAGES parse|gather ARGV...`.

Its launcher, which parses the arguments, and its class `VBench`, which gathers the videos, use nothing of torch but whether
there are several processes. Only the loading of videos and models is left out.
"""

from __future__ import annotations

import json
import re
import sys
import types
from pathlib import Path
from typing import Any


def leave_out_dependencies() -> None:
    distributed: Any = types.ModuleType("torch.distributed")
    distributed.is_initialized = lambda: False
    torch: Any = types.ModuleType("torch")
    torch.distributed = distributed
    utils: Any = types.ModuleType("vbench.utils")
    utils.get_prompt_from_filename = lambda path: re.sub(r"-\d+$", "", Path(path).stem)
    utils.load_json = lambda path: json.loads(Path(path).read_text())
    utils.save_json = lambda data, path: Path(path).write_text(json.dumps(data))
    utils.init_submodules = None
    sys.modules.update({"torch": torch, "torch.distributed": distributed, "vbench.utils": utils})


def main(packages: str, what: str, *argv: str) -> None:
    sys.path.insert(0, packages)
    leave_out_dependencies()
    from vbench import VBench
    from vbench.launch import evaluate

    sys.argv = ["evaluate.py", *argv]
    args = evaluate.parse_args()
    if what == "parse":
        print(json.dumps(vars(args)))
        return
    own = VBench("cpu", args.full_json_dir, args.output_path)
    own.build_full_info_json(args.videos_path, "results_T", args.dimension, mode=args.mode, category=args.category)


if __name__ == "__main__":
    main(*sys.argv[1:])
