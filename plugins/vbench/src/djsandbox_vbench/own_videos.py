"""Videos of the user's own, of no prompt list: VBench's mode `custom_input`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from djsandbox import Finding
from djsandbox.errors import ComponentError, Position

from djsandbox_vbench.config import VBenchConfig
from djsandbox_vbench.videos import CUSTOM_KINDS, as_it_is_now

_FORM = 'a JSON mapping of file name to prompt: {"kite.mp4": "a red kite"}'


def own_video_findings(config: VBenchConfig) -> Iterator[Finding]:
    """What is wrong with the prompts, and, as they are now, with the videos."""
    if config.prompt_file is not None and os.path.isfile(config.prompt_file):
        try:
            _own_prompts(config.prompt_file)
        except ComponentError as error:
            problem = error.problems[0]
            yield Finding(("prompt_file",), f"{config.prompt_file}: {problem.message}", fix=problem.fix)
            return
    if not os.path.exists(config.videos_path):
        return
    if config.prompt is not None and os.path.isdir(config.videos_path):
        yield Finding(("prompt",), "VBench takes one prompt for one video only, not for a folder", fix="use prompt_file")
    if config.prompt_file is not None and not os.path.isfile(config.prompt_file):
        return
    try:
        count_own_videos(config)
    except ComponentError as error:
        problem = error.problems[0]
        yield as_it_is_now(problem.message, problem.fix)


def count_own_videos(config: VBenchConfig) -> int:
    """How many videos there are; ComponentError where there is none, or one has no prompt in `prompt_file`."""
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
    try:
        prompts = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ComponentError(f"the prompt file cannot be read: {error}", where=Position(path), fix=_FORM) from error
    if not isinstance(prompts, dict):
        raise ComponentError("the prompt file is no mapping", where=Position(path), fix=_FORM)
    return prompts
