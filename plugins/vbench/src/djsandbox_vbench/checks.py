"""What can be found wrong with an evaluation before it is run, from its config and the files that are there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from djsandbox import Finding, visible_gpus
from djsandbox.errors import ComponentError, Position

from djsandbox_vbench.categories import read_category
from djsandbox_vbench.config import VBenchConfig
from djsandbox_vbench.dimensions import DIMENSIONS
from djsandbox_vbench.installed import folder_of, prompt_list
from djsandbox_vbench.own_videos import count_own_videos, own_video_findings
from djsandbox_vbench.packages import environment_findings
from djsandbox_vbench.prompts import SMALL_LIST, for_dimensions, read_prompts
from djsandbox_vbench.videos import Coverage, as_it_is_now, coverage

_ALLOW = "generate them, or allow it with 'allow_missing_videos: true'"


def findings(config: VBenchConfig) -> Iterator[Finding]:
    """What is wrong, place by place."""
    yield from _combinations(config)
    yield from _gpus(config)
    yield from environment_findings(config)
    if config.mode != "vbench_standard":
        yield from _dimensions_of_a_list(config)
    if config.mode == "custom_input":
        yield from own_video_findings(config)
    else:
        yield from _of_the_list(config)


def shares(config: VBenchConfig, prompts: Path | None) -> dict[str, int]:
    """How many parts the work of each dimension has at most: what a GPU more would get none of, and fail on.

    ComponentError where the videos are not what is to be evaluated: this is the last check before any GPU works.
    """
    if prompts is None:
        count = count_own_videos(config)
        return dict.fromkeys(config.dimension_list, count)
    listed = read_prompts(prompts)
    for name in config.dimension_list:
        if not for_dimensions(listed, [name]):
            raise ComponentError(f"the prompt list has no prompt for {name}", where=Position(str(prompts)))
    there = coverage(config.videos_path, listed, config.dimension_list)
    problem = there.problem()
    if problem and not config.allow_missing_videos:
        raise ComponentError(f"the folder {problem}", where=Position(config.videos_path), fix=_ALLOW)
    empty = [name for name, count in there.found.items() if not count]
    if empty:
        raise ComponentError(f"the folder has no video at all for {', '.join(empty)}", where=Position(config.videos_path))
    return {name: _parts(name, there, len(for_dimensions(listed, [name]))) for name in config.dimension_list}


def _parts(dimension: str, there: Coverage, prompts: int) -> int:
    if not DIMENSIONS[dimension].works_by_prompt:
        return there.found[dimension]
    # VBench also hands out prompts that have no videos: with one of them, no GPU can be sure of work but the only one.
    return prompts if there.prompts[dimension] == prompts else 1


def _combinations(config: VBenchConfig) -> Iterator[Finding]:
    sides = {DIMENSIONS[name].side for name in config.dimension_list}
    for side in ("quality", "semantic"):
        if f"{side}_score" in config.outputs and side not in sides and config.missing_dimensions == "leave_out":
            at = config.outputs.index(f"{side}_score")  # type: ignore[arg-type]
            yield Finding(("outputs", at), f"there will be no {side}_score: dimension_list has no dimension of that side")
    for key in ("prompt", "prompt_file"):
        if getattr(config, key) is not None and config.mode != "custom_input":
            yield Finding((key,), f"'{key}' is only for custom_input", fix="set 'mode: custom_input', or leave it out")
    is_category = config.mode == "vbench_category"
    if config.category is not None and not is_category:
        yield Finding(
            ("category",), "'category' is only for vbench_category", fix="set 'mode: vbench_category', or leave it out"
        )
    if config.category is None and is_category:
        message = "vbench_category needs the prompts of the category, which VBench's package does not have"
        yield Finding(
            ("mode",), message, fix="set 'category' to a text file of them, such as VBench's prompts_per_category/animal.txt"
        )
    if config.prompt is not None and config.prompt_file is not None:
        yield Finding(("prompt",), "'prompt' and 'prompt_file' exclude each other")
    if config.read_frame and "videos" not in config.videos_path:
        yield Finding(
            ("read_frame",),
            "with read_frame VBench takes the frames from the path of a video with 'frames' for 'videos', and there is no "
            f"'videos' in '{config.videos_path}'",
            fix="let the folder's name have 'videos' in it, and the frames' the same with 'frames'",
        )


def _gpus(config: VBenchConfig) -> Iterator[Finding]:
    """More GPUs than the machine has; that there is none at all is the environment's to say."""
    kind = config.launcher.get("type") if isinstance(config.launcher, dict) else config.launcher
    there = len(visible_gpus()) if kind in (None, "local") else 0
    if there and config.num_gpus is not None and config.num_gpus > there:
        fix = f"num_gpus: {there} or less; CUDA_VISIBLE_DEVICES says which GPUs may be used"
        yield Finding(("num_gpus",), f"'num_gpus' is {config.num_gpus}, and this machine has {there}", fix=fix)


def _dimensions_of_a_list(config: VBenchConfig) -> Iterator[Finding]:
    for at, name in enumerate(config.dimension_list):
        if DIMENSIONS[name].needs_prompt_info:
            message = f"{name} needs what only a prompt list says, and so does not go with {config.mode}"
            yield Finding(("dimension_list", at), message, fix="leave it out, or use vbench_standard")


def _of_the_list(config: VBenchConfig) -> Iterator[Finding]:
    path, loc = _known_list(config)
    if path is None:
        return
    try:
        listed = read_category(path, config.dimension_list) if loc == "category" else read_prompts(path)
    except ComponentError as error:
        problem = error.problems[0]
        yield Finding((loc,), f"{path}: {problem.message}", fix=problem.fix)
        return
    for at, name in enumerate(config.dimension_list):
        if not for_dimensions(listed, [name]):
            yield Finding(("dimension_list", at), f"the prompt list {path} has no prompt for {name}")
    if not os.path.isdir(config.videos_path):
        if os.path.exists(config.videos_path):
            yield Finding(("videos_path",), f"'{config.videos_path}' is no folder", fix="name the folder of the videos")
        return
    try:
        problem_now = coverage(config.videos_path, listed, config.dimension_list).problem()
    except ComponentError as error:
        problem = error.problems[0]
        yield as_it_is_now(problem.message, problem.fix)
        return
    if problem_now and not config.allow_missing_videos:
        yield as_it_is_now(f"the folder {problem_now}", _ALLOW)


def _known_list(config: VBenchConfig) -> tuple[Path | None, str]:
    """The prompt list, or the prompts of the category, where they can be read already, and the key that says which."""
    if config.mode == "vbench_category":
        place = Path(config.category) if config.category is not None else None
        return (place if place is not None and place.is_file() else None), "category"
    if config.full_json_dir is not None:
        path = Path(config.full_json_dir)
        return (path if path.is_file() else None), "full_json_dir"
    if config.prompt_list == "small":
        return SMALL_LIST, "prompt_list"
    path_given = config.env_params.get("path") if config.env_manager == "existing" else None
    return (prompt_list(folder_of(path_given)) if isinstance(path_given, str) else None), "prompt_list"
