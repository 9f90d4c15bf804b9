"""Computes one metric: `ORDER`, the path of a JSON file; the results are written where it says."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from .computing import summary, values_of
from .downloads import provided
from .features import FeatureMaker, Looked, look
from .order import Order, read_order
from .problems import Unfit
from .sampling import Sample, draw_clips, draw_frames

_COUNT_ONCE = ("kernel", "neighbours")


def main(arguments: list[str]) -> int:
    """Compute the metric; 1 with a message where the user has to mend something first."""
    try:
        order = read_order(arguments[0])
        result = evaluate(order)
    except Unfit as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    part = Path(f"{order.output}.part")
    part.write_text(json.dumps(result, indent=1), encoding="utf-8")
    os.replace(part, order.output)
    return 0


def evaluate(order: Order) -> dict[str, Any]:
    """The results, the time that they took in seconds, and what they were computed from.

    All videos are looked at before the detector is downloaded or loaded.
    """
    begin = time.monotonic()
    fake = look(order.fake, order.span, skip_short=order.skip_short)
    real = None if order.real is None else look(order.real, order.span, skip_short=order.skip_short)
    maker = FeatureMaker(order, provided(order.detector))
    real_samples = None if real is None else _drawn(order, real, 0)
    real_features = None if real is None or real_samples is None else maker.features(real, real_samples)
    runs, counts = [], {}
    for run in range(order.runs):
        fake_samples = _drawn(order, fake, run)
        fake_features = maker.features(fake, fake_samples)
        weights = None
        if real is not None and real_samples is not None:
            weights = _weights(fake, fake_samples), _weights(real, real_samples)
        random = np.random.default_rng([order.seed, run, 1])
        runs.append(values_of(order.computation, order.options, fake_features, real_features, weights, random))
        counts = {"fake": _counts(fake, fake_samples)}
        print(f"run {run + 1}: {dict(zip(order.keys, runs[-1], strict=True))}", flush=True)  # noqa: T201
    if real is not None and real_samples is not None:
        counts["real"] = _counts(real, real_samples)
    return {
        "metric": order.metric,
        "results": summary(order.keys, runs),
        "total_time": time.monotonic() - begin,
        "samples": counts,
        "computed": maker.computed,
    }


def _drawn(order: Order, looked: Looked, run: int) -> list[Sample]:
    """The samples of a side. Both sides draw alike, so that a dataset compared with itself is at a distance of 0."""
    random = np.random.default_rng([order.seed, run])
    if order.length is None:
        return draw_frames(looked.lengths, order.samples, random)
    drawn = draw_clips(looked.lengths, order.span, order.samples, random)
    # Where few clips are drawn often, spheres around neighbours would have no size, and pairs would be no pairs.
    return list(dict.fromkeys(drawn)) if order.computation in _COUNT_ONCE else drawn


def _weights(looked: Looked, samples: list[Sample]) -> Any:
    """Such that a video counts as much as another, however long it is."""
    return np.asarray([1 / looked.lengths[video] for video, _ in samples])


def _counts(looked: Looked, samples: list[Sample]) -> dict[str, int]:
    distinct = len({(looked.digests[video], start) for video, start in samples})
    return {"videos": len(looked.videos), "skipped": looked.skipped, "drawn": len(samples), "distinct": distinct}
