"""What can be found wrong with an evaluation before it is run, from its config and the files that are there."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from djsandbox import Finding
from djsandbox.errors import ComponentError, Position

from djsandbox_vbench.config import VBenchConfig
from djsandbox_vbench.dimensions import DIMENSIONS
from djsandbox_vbench.installed import folder_of, lacks, prompt_list
from djsandbox_vbench.prompts import SMALL_LIST, for_dimensions, read_prompts
from djsandbox_vbench.videos import CUSTOM_KINDS, Coverage, coverage

_ALLOW = "generate them, or allow it with 'allow_missing_videos: true'"


def findings(config: VBenchConfig) -> Iterator[Finding]:
    """What is wrong, place by place."""
    yield from _combinations(config)
    yield from _existing_environment(config)
    if config.mode == "custom_input":
        yield from _own_videos(config)
    else:
        yield from _of_the_list(config)


def shares(config: VBenchConfig, prompts: Path | None) -> dict[str, int]:
    """How many parts the work of each dimension has at most: what a GPU more would get none of, and fail on.

    ComponentError where the videos are not what is to be evaluated: this is the last check before any GPU works.
    """
    if prompts is None:
        count = _count_own_videos(config)
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
    if config.prompt is not None and config.prompt_file is not None:
        yield Finding(("prompt",), "'prompt' and 'prompt_file' exclude each other")
    if config.read_frame and "videos" not in config.videos_path:
        yield Finding(
            ("read_frame",),
            "with read_frame VBench takes the frames from the path of a video with 'frames' for 'videos', and there is no "
            f"'videos' in '{config.videos_path}'",
            fix="let the folder's name have 'videos' in it, and the frames' the same with 'frames'",
        )


def check_packages(environment: Path, dimensions: Sequence[str]) -> None:
    """ComponentError where the environment lacks a package that the dimensions need."""
    for finding in _missing_packages(environment, dimensions):
        raise ComponentError(finding.message, fix=finding.fix)


def _existing_environment(config: VBenchConfig) -> Iterator[Finding]:
    """What an environment of the user's own lacks, where the config names its folder."""
    path = config.env_params.get("path") if config.env_manager == "existing" else None
    if isinstance(path, str):
        yield from _missing_packages(folder_of(path), config.dimension_list)


def _missing_packages(environment: Path, dimensions: Sequence[str]) -> Iterator[Finding]:
    if lacks(environment, "vbench"):
        fix = "pip install vbench==0.1.5 there"
        yield Finding(("env_params", "path"), f"vbench is not installed in {environment}", fix=fix)
    needing = [name for name in dimensions if DIMENSIONS[name].needs_detectron2]
    if needing and lacks(environment, "detectron2"):
        yield Finding(
            ("dimension_list", dimensions.index(needing[0])),
            f"{', '.join(needing)}: VBench needs detectron2 for that, which is not installed in {environment}",
            fix="install it there (pip install --no-build-isolation "
            "'detectron2 @ git+https://github.com/facebookresearch/detectron2.git', with torch and nvcc), let djsandbox make "
            "an environment (no 'env_manager: existing'), or leave these dimensions out",
        )


def _of_the_list(config: VBenchConfig) -> Iterator[Finding]:
    path, loc = _known_list(config)
    if path is None:
        return
    try:
        listed = read_prompts(path)
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
        yield _as_it_is_now(problem.message, problem.fix)
        return
    if problem_now and not config.allow_missing_videos:
        yield _as_it_is_now(f"the folder {problem_now}", _ALLOW)


def _as_it_is_now(message: str, fix: str | None) -> Finding:
    """A warning only: another job of the run may write the videos. Where none does, the job fails before any GPU works."""
    return Finding(("videos_path",), f"as it is now, {message}", fix=fix, severity="warning")


def _known_list(config: VBenchConfig) -> tuple[Path | None, str]:
    """The prompt list, where it can be read already, and the key that says which."""
    if config.full_json_dir is not None:
        path = Path(config.full_json_dir)
        return (path if path.is_file() else None), "full_json_dir"
    if config.prompt_list == "small":
        return SMALL_LIST, "prompt_list"
    path_given = config.env_params.get("path") if config.env_manager == "existing" else None
    return (prompt_list(folder_of(path_given)) if isinstance(path_given, str) else None), "prompt_list"


def _own_videos(config: VBenchConfig) -> Iterator[Finding]:
    for at, name in enumerate(config.dimension_list):
        if DIMENSIONS[name].needs_prompt_info:
            message = f"{name} needs what only a prompt list says, and so does not go with custom_input"
            yield Finding(("dimension_list", at), message, fix="leave it out, or use vbench_standard")
    if not os.path.exists(config.videos_path):
        return
    if config.prompt is not None and os.path.isdir(config.videos_path):
        yield Finding(("prompt",), "VBench takes one prompt for one video only, not for a folder", fix="use prompt_file")
    try:
        _count_own_videos(config)
    except ComponentError as error:
        problem = error.problems[0]
        yield _as_it_is_now(problem.message, problem.fix)


def _count_own_videos(config: VBenchConfig) -> int:
    """How many videos there are; ComponentError where there is none, or none has a prompt in `prompt_file`."""
    place = Position(config.videos_path)
    if os.path.isfile(config.videos_path):
        return 1
    videos = sorted(name for name in os.listdir(config.videos_path) if Path(name).suffix.lower() in CUSTOM_KINDS)
    if not videos:
        raise ComponentError(f"there is no video ({', '.join(CUSTOM_KINDS)}) in it", where=place)
    if config.prompt_file is not None:
        prompts = _own_prompts(config.prompt_file)
        without = [name for name in videos if name not in prompts]
        if without:
            raise ComponentError(f"'{without[0]}' has no prompt in {config.prompt_file}", where=place, fix="add it there")
    return len(videos)


def _own_prompts(path: str) -> Mapping[str, Any]:
    form = 'a JSON mapping of file name to prompt: {"kite.mp4": "a red kite"}'
    try:
        prompts = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ComponentError(f"the prompt file cannot be read: {error}", where=Position(path), fix=form) from error
    if not isinstance(prompts, dict):
        raise ComponentError("the prompt file is no mapping", where=Position(path), fix=form)
    return prompts
