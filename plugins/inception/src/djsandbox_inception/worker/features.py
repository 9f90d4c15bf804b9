"""Features of the frames and clips that are drawn: those that are kept, and for the others the videos are decoded."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .detector import Detector, Resize
from .order import Order, Side, Video
from .prefetch import prefetched
from .problems import Unfit
from .reading import Frame, count_frames, digest_of, read_clips
from .sampling import Sample
from .store import FeatureStore

_EVERY = 2.0  # seconds between lines
Clip = tuple[str, int, Frame]


@dataclass(frozen=True)
class Looked:
    """The videos of a side after a look at their files: how many frames each has, and the digest of what is in it."""

    side: Side
    videos: tuple[Video, ...]
    lengths: tuple[int, ...]
    digests: tuple[str, ...]
    skipped: int


def look(side: Side, span: int, *, skip_short: bool) -> Looked:
    """Look at all videos of a side; Unfit for one that cannot be read, or is shorter than a clip and may not be left out."""
    fit: list[tuple[Video, int, str]] = []
    skipped = 0
    for video in side.videos:
        try:
            length = count_frames(video.path)
            digest = digest_of(video.path)
        except Unfit as error:
            raise Unfit(f"{side.place(video)}: {error}") from error
        if length >= span:
            fit.append((video, length, digest))
        elif skip_short:
            skipped += 1
        else:
            raise Unfit(
                f"{side.place(video)}: {video.path} has {length} frames, and a clip has {span}; leave the video out, "
                "set 'skip_short_videos: true', or choose a metric of shorter clips"
            )
    if not fit:
        raise Unfit(f"no {side.called} video of {side.data} is as long as a clip, which has {span} frames")
    videos, lengths, digests = zip(*fit, strict=True)
    return Looked(side, videos, lengths, digests, skipped)


class FeatureMaker:
    """Makes features for one order; the detector is loaded when the first one is needed that is not kept."""

    def __init__(self, order: Order, detector_digest: str) -> None:
        self._order = order
        self._detector: Detector | None = None
        self.computed = 0
        self.store = FeatureStore(
            order.cache,
            {
                "detector": detector_digest,
                "arguments": order.detector.arguments,
                "size": [order.height, order.width],
                "length": order.length,
                "spacing": order.spacing,
            },
        )

    def features(self, looked: Looked, samples: Sequence[Sample]) -> NDArray[np.float32]:
        """Features [n, d] of the samples, in their order."""
        wanted: dict[str, set[int]] = {}
        for video, start in samples:
            wanted.setdefault(looked.digests[video], set()).add(start)
        with self.store.alone():
            rows = self._all_rows(looked, wanted)
        return np.stack([rows[looked.digests[video]][start] for video, start in samples])

    def _all_rows(self, looked: Looked, wanted: Mapping[str, set[int]]) -> dict[str, dict[int, NDArray[Any]]]:
        rows = {digest: {} if self._order.replace_cache else self.store.of(digest) for digest in wanted}
        missing = {digest: sorted(starts - rows[digest].keys()) for digest, starts in wanted.items()}
        left = {digest: len(starts) for digest, starts in missing.items() if starts}
        say = _Progress(looked.side.called, sum(left.values()), self._order.verbose)
        clips = prefetched(self._clips(looked, missing), at_most=2 * self._order.batch_size)
        while batch := list(islice(clips, self._order.batch_size)):
            found = self._detect([clip for _, _, clip in batch])
            for (digest, start, _), row in zip(batch, found, strict=True):
                rows[digest][start] = row
                left[digest] -= 1
                if not left[digest]:
                    self.store.keep(digest, rows[digest])
            self.computed += len(batch)
            say(len(batch))
        return rows

    def _clips(self, looked: Looked, missing: Mapping[str, Sequence[int]]) -> Iterator[Clip]:
        change = Resize(self._order.height, self._order.width)
        first = {digest: video for video, digest in reversed(list(zip(looked.videos, looked.digests, strict=True)))}
        for digest, starts in missing.items():
            if starts:
                video = first[digest]
                try:
                    for start, clip in read_clips(video.path, starts, self._order.length or 1, self._order.spacing, change):
                        yield digest, start, clip
                except Unfit as error:
                    raise Unfit(f"{looked.side.place(video)}: {error}") from error

    def _detect(self, clips: Sequence[Frame]) -> NDArray[np.float32]:
        if self._detector is None:
            self._detector = Detector(self._order.detector.path, self._order.detector.arguments, self._order.device)
            print(f"the detector runs on {self._detector.device}", flush=True)  # noqa: T201
        return self._detector(clips, are_frames=self._order.length is None)


class _Progress:
    """Says now and then how many features there are, of those that had to be computed."""

    def __init__(self, called: str, total: int, is_verbose: bool) -> None:
        self._called, self._total, self._is_verbose = called, total, is_verbose
        self._done = 0
        self._last = time.monotonic()

    def __call__(self, more: int) -> None:
        self._done += more
        if self._is_verbose or self._done == self._total or time.monotonic() - self._last >= _EVERY:
            self._last = time.monotonic()
            print(f"features of {self._called} videos: {self._done}/{self._total}", flush=True)  # noqa: T201
