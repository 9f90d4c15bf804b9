"""What lies in a folder of generated videos, and what VBench will miss in it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from djsandbox import Finding
from djsandbox.errors import ComponentError, Position

from djsandbox_vbench.prompts import Prompt, for_dimensions

READABLE = (".mp4", ".gif", ".png")
"""What VBench can read as a video."""

CUSTOM_KINDS = (".mp4", ".gif", ".jpg", ".png")
"""What it takes for a video with custom_input."""

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of each dimension, the videos wanted and found for it, and how many of its prompts have one."""

    missing: Mapping[str, Sequence[str]]
    found: Mapping[str, int]
    prompts: Mapping[str, int]

    def problem(self) -> str | None:
        """What is missing, in a sentence; None where nothing is."""
        lacking = {name: names for name, names in self.missing.items() if names}
        if not lacking:
            return None
        names = list(dict.fromkeys(name for names in lacking.values() for name in names))
        return f"lacks {_some(names, 'video')} that the prompt list wants for {', '.join(lacking)}: {_examples(names)}"


def extension_of(folder: str | Path) -> str:
    """The extension of the videos in `folder`, with its dot.

    VBench takes that of whichever entry it lists first, and looks for all videos with it: so every entry must have the same.
    ComponentError where the folder is empty, has videos that VBench cannot read, or anything else in it.
    """
    names = sorted(os.listdir(folder))
    if not names:
        raise ComponentError("the folder of videos is empty", where=Position(str(folder)), fix="generate the videos first")
    extensions = {name: Path(name).suffix for name in names}
    kinds = set(extensions.values())
    readable = sorted(kind for kind in kinds if kind in READABLE)
    if len(kinds) == 1 and readable:
        return readable[0]
    if not readable:
        message = f"there is no video in it that VBench reads ({', '.join(READABLE)}), but {_examples(names)}"
        raise ComponentError(message, where=Position(str(folder)), fix="give the folder that the videos themselves lie in")
    if len(readable) > 1:
        what = f"there are videos of several kinds in it ({', '.join(readable)})"
    else:
        what = f"there is more than videos in it: {_examples([name for name in names if extensions[name] != readable[0]])}"
    raise ComponentError(
        f"{what}; VBench takes the extension of whichever entry it lists first, and then misses the others",
        where=Position(str(folder)),
        fix="leave only videos of one kind in the folder",
    )


def coverage(folder: str | Path, prompts: Sequence[Prompt], dimensions: Iterable[str]) -> Coverage:
    """What of the videos that `prompts` want for `dimensions` lies in `folder`; ComponentError as `extension_of`."""
    extension = extension_of(folder)
    there = set(os.listdir(folder))
    missing, found, with_videos = {}, {}, {}
    for dimension in dimensions:
        wanted = for_dimensions(prompts, [dimension])
        names = [name for prompt in wanted for name in prompt.videos(extension)]
        missing[dimension] = [name for name in names if name not in there]
        found[dimension] = len(names) - len(missing[dimension])
        with_videos[dimension] = sum(not there.isdisjoint(prompt.videos(extension)) for prompt in wanted)
    return Coverage(missing, found, with_videos)


def as_it_is_now(message: str, fix: str | None) -> Finding:
    """A warning only: another job of the run may write the videos. Where none does, the job fails before any GPU works."""
    return Finding(("videos_path",), f"as it is now, {message}", fix=fix, severity="warning")


def _some(names: Sequence[str], what: str) -> str:
    return f"{len(names)} {what}{'' if len(names) == 1 else 's'}"


def _examples(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(f"'{name}'" for name in names[:_NAMED]) + more
