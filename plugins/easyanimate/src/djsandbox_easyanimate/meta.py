"""What is wrong with the file that names the videos of a training, found before a GPU is used."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from typing import Any

from djsandbox.errors import SandboxError

from djsandbox_easyanimate.home import Version
from djsandbox_easyanimate.rows import rows_of

LOOKED_AT = 1000
"""Rows whose videos are looked for."""

_SUFFIXES = {"legacy": (".json", ".jsonl"), "current": (".json", ".csv")}
_FIX = (
    "make it with dj_to_easyanimate_video_dataset_conversion; where an earlier job of this config writes the file anew, "
    "delete it"
)


def problems_of_meta(
    path: str, folder: str | None, home: str | None, version: Version, *, at_least: int = 1
) -> Iterator[tuple[str, str]]:
    """The first thing that is wrong with the file at `path`, with its fix; nothing where it does not exist yet.

    Args:
        path: The file.
        folder: What relative paths of videos begin at.
        home: EasyAnimate's folder, in which it runs.
        version: Who will read the file.
        at_least: Videos that fill a batch in all epochs together; fewer train nothing (version `current`).
    """
    if not os.path.isfile(path):
        return
    if not path.lower().endswith(_SUFFIXES[version]):
        yield f"EasyAnimate reads {' and '.join(_SUFFIXES[version])} files, not '{path}'", _FIX
        return
    try:
        found = list(islice(rows_of(path), LOOKED_AT + 1))
    except (SandboxError, OSError) as error:
        yield str(error), _FIX
        return
    if not found:
        yield f"'{path}' names no video", _FIX
        return
    if path.endswith(".json") and not _is_list(path):
        yield f"'{path}' holds JSON lines, which EasyAnimate reads from files called .jsonl only", _FIX
        return
    missing = []
    for number, row in enumerate(found[:LOOKED_AT], start=1):
        lack = _lack(row, version)
        if lack:
            yield f"row {number} of '{path}' {lack}", _FIX
            return
        video = _video(row, version)
        if not _exists(video, folder, home, version):
            missing.append((number, video))
    looked_at = min(len(found), LOOKED_AT)
    if missing:
        number, video = missing[0]
        among = f"the first {looked_at}" if len(found) > LOOKED_AT else f"the {looked_at}"
        yield (
            f"{len(missing)} of {among} videos in '{path}' do not exist, the first in row {number}: {video}",
            "correct the paths, or give the folder that they begin at as dataset_name; where an earlier job of this config "
            "writes the file anew, delete it",
        )
    elif version == "current" and len(found) < at_least:
        message = f"'{path}' names {len(found)} videos, which fill no batch in all epochs together: nothing would be trained"
        yield message, "more videos, more epochs, or a smaller batch_size_per_gpu"


def _is_list(path: str) -> bool:
    with open(path, encoding="utf-8-sig") as file:
        return file.read(4096).lstrip().startswith("[")


def _lack(row: dict[str, Any], version: Version) -> str | None:
    keys = ("videos", "text") if version == "legacy" else ("file_path", "text")
    lacking = [key for key in keys if not row.get(key) and (key != "text" or key not in row)]
    if lacking:
        return f"has no '{lacking[0]}', which version '{version}' of EasyAnimate reads"
    if version == "current" and row.get("type", "image") != "video":
        return "is no video for EasyAnimate: it has no 'type: video', and is read as an image"
    return None


def _video(row: dict[str, Any], version: Version) -> str:
    value = row["videos"] if version == "legacy" else row["file_path"]
    return str(value[0] if isinstance(value, list) else value)


def _exists(video: str, folder: str | None, home: str | None, version: Version) -> bool:
    if os.path.isabs(video):
        return os.path.exists(video)
    places = [folder] if folder else []
    if version == "legacy" or not folder:
        places.append(home or os.curdir)
    return any(os.path.exists(os.path.join(place, video)) for place in places)
