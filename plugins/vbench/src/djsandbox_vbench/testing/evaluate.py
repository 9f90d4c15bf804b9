"""Stands in for `vbench/launch/evaluate.py`: one rank of an evaluation."""

from __future__ import annotations

import errno
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from djsandbox_vbench.dimensions import DIMENSIONS
from djsandbox_vbench.testing.arguments import parsed
from djsandbox_vbench.testing.failing import Fault
from djsandbox_vbench.testing.made_up import row_of, score_of

_PACE = {"slow": 0.3}
_USUAL_PACE = 0.002
_KINDS = (".mp4", ".gif", ".jpg", ".png")


class Rank:
    """Rank `number` of `count`, which is to fail in the way that DJSANDBOX_STANDIN says."""

    def __init__(self, number: int, count: int) -> None:
        self.number, self.count = number, count
        self.dimension = ""
        self._fault = Fault()

    def has_to(self, way: str) -> bool:
        """Whether it has to fail in this way now."""
        return self._fault.has_come(way, self.dimension)

    def says(self, text: str) -> None:
        """As the `print0` of VBench."""
        if self.number == 0:
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()

    def pause(self) -> None:
        """For one video's work."""
        time.sleep(_PACE["slow"] if self.has_to("slow") else _USUAL_PACE)


def main(prompts: Path, argv: Sequence[str] | None = None) -> None:
    """Evaluate; `prompts` is the prompt list where the arguments name none."""
    args = parsed(prompts, argv)
    rank = Rank(int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]))
    rank.dimension = args.dimension[0]
    if rank.has_to("no-gpu"):
        raise ValueError("ProcessGroupNCCL is only supported with GPUs, no GPUs found!")
    rank.says(f"args: {args}")
    if rank.has_to("exit-0-nothing"):
        sys.exit(0)
    os.makedirs(args.output_path, exist_ok=True)
    rank.says("start evaluation")
    name = f"results_{datetime.now():%Y-%m-%d-%H:%M:%S}"
    if args.load_ckpt_from_local:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s - %(name)s - %(levelname)s - %(message)s")
        local = "\x1b[32m[Local Mode]\x1b[0m Working in local mode, please make sure that the pre-trained model has been fully "
        logging.getLogger("vbench.utils").info("%sdownloaded.", local)
    rows = _videos_of(args, rank)
    meta = os.path.join(args.output_path, f"{name}_full_info.json")
    Path(meta).write_text(json.dumps(rows, indent=4), encoding="utf-8")
    rank.says(f"Evaluation meta data saved to {meta}")
    results = {dimension: _evaluated(rows, dimension, meta, rank) for dimension in args.dimension}
    if rank.has_to("old-results"):
        sys.exit(0)
    if rank.number == 0:
        if rank.count > 1:
            sys.stdin.read()  # until the other ranks have done their share
        output = os.path.join(args.output_path, f"{name}_eval_results.json")
        text = json.dumps(results, indent=4)
        Path(output).write_text(text[: len(text) // 2] if rank.has_to("half-written") else text, encoding="utf-8")
        rank.says(f"Evaluation results saved to {output}")
    rank.says("done")


def _videos_of(args: Any, rank: Rank) -> list[dict[str, Any]]:
    """The prompts with the videos that are there, as VBench's `build_full_info_json` gathers them."""
    names = os.listdir(args.videos_path) if os.path.isdir(args.videos_path) else []
    if args.mode != "vbench_standard":
        needing = {name for name in args.dimension if DIMENSIONS[name].needs_prompt_info}
        if needing:
            raise AssertionError(f"dimensions : {needing} not supported for custom input")
    if args.mode == "vbench_category":
        names_of_categories = "prompts/prompts_per_category"  # of its repository, and so of no place that it is run at
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), names_of_categories)
    if args.mode == "custom_input":
        paths = [os.path.join(args.videos_path, name) for name in names] or [args.videos_path]
        own = [path for path in paths if Path(path).suffix.lower() in _KINDS]
        return [{"prompt_en": Path(path).stem, "dimension": args.dimension, "video_list": [path]} for path in own]
    rows = json.loads(Path(args.full_json_dir).read_text(encoding="utf-8"))
    wanted = [row for row in rows if set(row["dimension"]) & set(args.dimension)]
    extension = Path(names[0]).suffix
    for row in wanted:
        row["video_list"] = []
        for number in range(5):
            video = f"{row['prompt_en']}-{number}{extension}"
            if video in names:
                row["video_list"].append(os.path.join(args.videos_path, video))
            else:
                rank.says(
                    "WARNING!!! This required video is not found! Missing benchmark videos can lead to unfair evaluation "
                    f"result. The missing video is: {video}"
                )
    return wanted


def _evaluated(rows: list[dict[str, Any]], dimension: str, meta: str, rank: Rank) -> list[Any]:
    """`[score, [a row a video]]`; every rank works on its share, and rank 0 gives the whole."""
    rank.dimension = dimension
    if rank.has_to("no-detectron2"):
        raise ModuleNotFoundError("No module named 'detectron2'")
    rank.says(f"cur_full_info_path: {meta}")
    lists = [row["video_list"] for row in rows if dimension in row["dimension"]]
    parts = lists if DIMENSIONS[dimension].works_by_prompt else [[video] for videos in lists for video in videos]
    share = parts[rank.number :: rank.count]
    total = 0.0
    for at, videos in enumerate(share):
        _progress(rank, at, len(share))
        if at >= len(share) // 2:
            _fail(rank)
        for video in videos:
            rank.pause()
            total += score_of(dimension, video)
    _progress(rank, len(share), len(share), end="\n")
    total / sum(len(videos) for videos in share)  # as VBench does in each rank, with the same error where there is nothing
    everything = [video for videos in lists for video in videos]
    scores = [score_of(dimension, video) for video in everything]
    score = float("nan") if rank.has_to("nan-score") else sum(scores) / len(scores)
    return [score, [row_of(dimension, video) for video in everything]]


def _fail(rank: Rank) -> None:
    if rank.has_to("killed"):
        os.kill(os.getpid(), signal.SIGKILL)
    if rank.has_to("crash-midway"):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")
    if rank.has_to("out-of-memory"):
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")


def _progress(rank: Rank, done: int, count: int, end: str = "") -> None:
    if rank.number == 0:
        sys.stderr.write(f"\r{100 * done // max(count, 1):3d}%|{'█' * (10 * done // max(count, 1)):<10}| {done}/{count} ")
        sys.stderr.write(f"[00:00<00:00, 99.99it/s]{end}")
        sys.stderr.flush()
