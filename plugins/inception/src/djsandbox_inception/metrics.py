"""The ten metrics: what each is computed from, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from djsandbox_inception.detectors import C3D, I3D, INCEPTION, VGG16, Detector

Computation = Literal["frechet", "kernel", "inception_score", "neighbours"]

_FRAMES = 50_000
_CLIPS = 2048
_FEATURES: Mapping[str, Any] = {"return_features": True}
_CLIP_FEATURES: Mapping[str, Any] = {"rescale": True, "resize": True, "return_features": True}
_SUBSETS: Mapping[str, float] = {"subsets": 100, "subset_size": 1000}


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Args:
        name: What users call it; its keys begin with it.
        detector: The network that looks at frames or clips.
        arguments: What the detector is called with, beside the pictures.
        computation: What is made of its features.
        suffixes: What follows the name in the keys of its values.
        samples: How many frames at most, or how many clips, are looked at on each side.
        length: Frames of a clip; None where single frames are looked at.
        spacing: From one frame of a clip to its next.
        options: Numbers of the computation.
    """

    name: str
    detector: Detector
    arguments: Mapping[str, Any]
    computation: Computation
    suffixes: tuple[str, ...] = ("",)
    samples: int = _CLIPS
    length: int | None = None
    spacing: int = 1
    options: Mapping[str, float] = field(default_factory=dict)

    @property
    def needs_real(self) -> bool:
        """Whether it compares with real videos."""
        return self.computation != "inception_score"

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of its values, in a single run."""
        return tuple(f"{self.name}{suffix}" for suffix in self.suffixes)

    def result_keys(self, runs: int) -> tuple[str, ...]:
        """The keys of all its values where it is computed `runs` times."""
        if runs == 1:
            return self.keys
        each = [f"{key}_run{run:02d}" for run in range(1, runs + 1) for key in self.keys]
        return (*each, *(f"{key}_{part}" for key in self.keys for part in ("mean", "std")))


_MEAN_AND_STD = ("_mean", "_std")
_PRECISION_AND_RECALL = ("_precision", "_recall")

METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("fvd2048_16f", I3D, _CLIP_FEATURES, "frechet", length=16),
        Metric("fvd2048_128f", I3D, _CLIP_FEATURES, "frechet", length=128),
        Metric("fvd2048_128f_subsample8f", I3D, _CLIP_FEATURES, "frechet", length=16, spacing=8),
        Metric("kvd2048_16f", I3D, _CLIP_FEATURES, "kernel", length=16, options=_SUBSETS),
        Metric("isv2048_ucf", C3D, {}, "inception_score", _MEAN_AND_STD, length=16, options={"splits": 10}),
        Metric("prv2048_3n_16f", I3D, _CLIP_FEATURES, "neighbours", _PRECISION_AND_RECALL, length=16, options={"nearest": 3}),
        Metric("fid50k", INCEPTION, _FEATURES, "frechet", samples=_FRAMES, options={"weigh_by_video": 1}),
        Metric("kid50k", INCEPTION, _FEATURES, "kernel", samples=_FRAMES, options={**_SUBSETS, "scale": 1000}),
        Metric(
            "is50k",
            INCEPTION,
            {"no_output_bias": True},
            "inception_score",
            _MEAN_AND_STD,
            samples=_FRAMES,
            options={"splits": 10},
        ),
        Metric("pr50k_3n", VGG16, _FEATURES, "neighbours", _PRECISION_AND_RECALL, samples=_FRAMES, options={"nearest": 3}),
    )
}
"""Name -> metric. The names, keys and numbers are those of long-video-gan and of the existing sandbox."""
