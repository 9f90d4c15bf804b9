"""Reading videos with PyAV."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from .problems import Unfit

Frame = NDArray[np.uint8]

_BLOCK = 1 << 20
_ENCODE_ANEW = "encode it anew (ffmpeg -i VIDEO -c:v libx264 NEW.mp4), or leave it out"


def digest_of(path: str) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise Unfit(f"{path} cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def count_frames(path: str) -> int:
    """How many frames a video has, from its packets: nothing is decoded. Unfit where it is no video, or has none."""
    with _opened(path) as (container, stream):
        count = sum(1 for packet in container.demux(stream) if packet.size and not packet.is_discard)
    if not count:
        raise Unfit(f"{path} has no frames")
    return count


def read_clips(
    path: str, starts: Sequence[int], length: int, spacing: int, change: Callable[[Frame], Frame]
) -> Iterator[tuple[int, Frame]]:
    """For each of `starts`, ascending, itself and the clip [length, height, width, 3] that begins there.

    `change` is applied to each frame [height, width, 3], RGB, that a clip has. The video is decoded once, from its beginning;
    no more frames are kept than the clips that are open need.
    """
    span = (length - 1) * spacing + 1
    pending = deque(starts)
    wanted = {start + step * spacing for start in starts for step in range(length)}
    kept: dict[int, Frame] = {}
    at = -1
    with _opened(path) as (container, stream):
        for at, frame in enumerate(container.decode(stream)):
            if at in wanted:
                kept[at] = change(frame.to_ndarray(format="rgb24"))
            while pending and pending[0] + span - 1 == at:
                start = pending.popleft()
                yield start, np.stack([kept[start + step * spacing] for step in range(length)])
                for old in [number for number in kept if not pending or number < pending[0]]:
                    del kept[old]
            if not pending:
                return
    raise Unfit(f"{path} ends after {at + 1} frames, although its container has more: {_ENCODE_ANEW}")


@contextmanager
def _opened(path: str) -> Iterator[tuple[Any, Any]]:
    try:
        with av.open(path) as container:
            if not container.streams.video:
                raise Unfit(f"{path} has no pictures in it")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            yield container, stream
    except (av.FFmpegError, OSError) as error:
        raise Unfit(f"{path} cannot be read as a video: {error.strerror or error}; {_ENCODE_ANEW}") from error
