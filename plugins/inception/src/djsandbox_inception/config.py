"""The config of the evaluator."""

from __future__ import annotations

from typing import ClassVar, Literal

from djsandbox import AppendPath, CommandConfig, EnvConfig, InputPath, ReferencePath
from djsandbox.errors import did_you_mean
from pydantic import Field, field_validator

from djsandbox_inception.metrics import METRICS, Metric


class InceptionConfig(EnvConfig, CommandConfig):
    """Which videos are compared with which, by which metrics, and where the results go."""

    fake_data_path: InputPath
    """The generated dataset, JSON lines with a list of video paths in each row."""
    real_data_path: InputPath | None = None
    """The real dataset, in the same form; needed for all metrics but `is50k` and `isv2048_ucf`."""
    fake_mm_dir: ReferencePath | None = None
    """Folder that relative paths of generated videos begin at; by default the current directory."""
    real_mm_dir: ReferencePath | None = None
    """Folder that relative paths of real videos begin at; by default the current directory."""
    video_key: str = Field(default="videos", min_length=1)
    """Key of the list of video paths in a row."""
    metric: str | list[str] = "fvd2048_16f"
    """The metric, or a list of them; each is a task of its own."""
    detector_path: InputPath | None = None
    """The detector's TorchScript file, or a folder of such files by their published names; by default the detectors' cache."""
    result_path: AppendPath | None = None
    """JSON-lines file that gets a line for each metric."""
    num_runs: int = Field(default=1, ge=1, le=99)
    """How often a metric is computed, each time with other samples; mean and standard deviation are then given, too."""
    height: int = Field(default=240, ge=1)
    """Pixels that frames are resized to, before the detector sees them."""
    width: int = Field(default=320, ge=1)
    """Pixels that frames are resized to, before the detector sees them."""
    seed: int = Field(default=42, ge=0)
    """Decides which frames and clips are drawn."""
    num_samples: int | None = Field(default=None, ge=1)
    """Frames at most, or clips, of each side; by default as many as the metric's name says."""
    skip_short_videos: bool = False
    """Leave out videos that are shorter than a clip, instead of refusing them."""
    batch_size: int | None = Field(default=None, ge=1)
    """Frames or clips that the detector sees at once; by default 64 frames in all."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the detector runs; `auto`: on a GPU where there is one."""
    cache_path: str | None = None
    """Folder where features are kept for the next evaluation; by default in the cache of the work_dir."""
    replace_cache: bool = False
    """Compute features anew that are in the cache."""
    verbose: bool = False
    """Log every batch, instead of a line every few seconds."""

    outside_key: ClassVar[frozenset[str]] = frozenset({"batch_size", "device", "cache_path", "replace_cache", "verbose"})

    @field_validator("metric")
    @classmethod
    def _metrics_are_known(cls, value: str | list[str]) -> str | list[str]:
        names = [value] if isinstance(value, str) else value
        if not names:
            raise ValueError("name at least one metric")
        for name in names:
            if name not in METRICS:
                raise ValueError(f"there is no metric '{name}'; {did_you_mean(name, METRICS)}")
        if len(set(names)) != len(names):
            raise ValueError("a metric is named twice")
        return value

    @property
    def metrics(self) -> list[Metric]:
        """The metrics that are asked for, in their order."""
        return [METRICS[name] for name in ([self.metric] if isinstance(self.metric, str) else self.metric)]
