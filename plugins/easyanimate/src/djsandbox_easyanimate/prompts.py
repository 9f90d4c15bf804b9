"""The prompts of a generation, and the names of the videos that are made of them."""

from __future__ import annotations

import os
from collections.abc import Iterator

from djsandbox.errors import ComponentError, SandboxError

from djsandbox_easyanimate.rows import rows_of

KEY = "prompt_en"
_LONGEST_NAME = 255
_FIX = "give a list like VBench_full_info.json: a JSON object with 'prompt_en' for each prompt"


def read_prompts(path: str) -> list[str]:
    """The prompts of a list as VBench has it, each once, in its order; ComponentError where a row has none."""
    found: dict[str, None] = {}
    for number, row in enumerate(rows_of(path), start=1):
        prompt = row.get(KEY)
        if not isinstance(prompt, str) or not prompt.strip():
            raise ComponentError(f"prompt {number} of {path} has no '{KEY}'", fix=_FIX)
        found[prompt] = None
    if not found:
        raise ComponentError(f"there is no prompt in {path}", fix=_FIX)
    return list(found)


def problems_of_prompts(path: str, videos_per_prompt: int) -> Iterator[tuple[str, str]]:
    """What is wrong with the prompts at `path`, with fixes; nothing where the file does not exist yet."""
    if not os.path.isfile(path):
        return
    try:
        prompts = read_prompts(path)
    except (SandboxError, OSError) as error:
        yield str(error), _FIX
        return
    for prompt in prompts:
        problem = _unusable(prompt, videos_per_prompt)
        if problem:
            message = f"a prompt of '{path}' {problem}: {prompt[:80]!r}"
            yield message, "change the prompt: VBench finds a video by a file name that is the whole prompt"


def video_name(prompt: str, number: int) -> str:
    """The name that VBench looks for."""
    return f"{prompt}-{number}.mp4"


def chunks(prompts: list[str], number: int) -> list[list[str]]:
    """At most `number` parts, divided as `infer_lora.py` does: the same size but for the last."""
    size = (len(prompts) - 1) // number + 1
    return [prompts[at : at + size] for at in range(0, len(prompts), size)]


def _unusable(prompt: str, videos_per_prompt: int) -> str | None:
    if "/" in prompt or "\0" in prompt:
        return "has a '/', so that no file can be called after it"
    if len(video_name(prompt, videos_per_prompt - 1).encode()) > _LONGEST_NAME:
        return f"is too long for the name of a file ({_LONGEST_NAME} bytes)"
    if prompt.startswith(".") or prompt != prompt.strip() or "\n" in prompt:
        return "begins with a dot, or begins or ends with a space, or has a line break"
    return None
