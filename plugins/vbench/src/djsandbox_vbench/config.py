"""The config of the evaluator."""

from __future__ import annotations

from typing import Literal

from djsandbox import CommandConfig, EnvConfig, InputPath, OutputPath
from pydantic import Field, field_validator

from djsandbox_vbench.dimensions import DIMENSIONS, Missing

Output = Literal[
    "mean_score", "quality_score", "semantic_score", "total_score", "dimension_scores", "results_path", "video_scores_path"
]
Mode = Literal["vbench_standard", "custom_input", "vbench_category"]


class VBenchConfig(EnvConfig, CommandConfig):
    """What is evaluated, in which dimensions, and where the results go."""

    videos_path: InputPath
    """Folder of the videos, and nothing else: for vbench_standard `{prompt_en}-{0..4}.mp4`."""
    output_path: OutputPath
    """Folder of the results; VBench's own files go to `<eval_name>/<dimension>` in it."""
    dimension_list: list[str] = Field(min_length=1)
    """The dimensions to evaluate, of VBench's sixteen; each is a task of its own."""
    full_json_dir: InputPath | None = None
    """Prompt list: a file in VBench's format. Left out: see `prompt_list`."""
    prompt_list: Literal["installed", "small"] = "installed"
    """Where there is no `full_json_dir`: the list of the installed VBench, or our own small one, for tests and dry runs."""
    eval_name: str = "vbench_evaluator"
    """Names the folder and the files of the results."""
    num_gpus: int | None = Field(default=None, ge=1)
    """GPUs of each dimension, at most one a video or prompt; by default 1. Dimensions run in parallel where GPUs allow."""
    load_ckpt_from_local: bool = False
    """Take all models from VBENCH_CACHE_DIR, also those that VBench otherwise leaves to the hubs' caches."""
    read_frame: bool = False
    """Read frames instead of videos, where a dimension can: from the path of a video with `frames` for `videos`."""
    mode: Mode = "vbench_standard"
    """`vbench_standard`: videos of the prompt list; `vbench_category`: of a category; `custom_input`: whatever is there."""
    prompt: str | None = None
    """With custom_input and a single video as `videos_path`: its prompt."""
    prompt_file: InputPath | None = None
    """With custom_input: a JSON mapping of file name to prompt. By default the file names are the prompts."""
    category: InputPath | None = None
    """With vbench_category: text file of its prompts, one a line; VBench's repository has `prompts/prompts_per_category/`."""
    imaging_quality_preprocessing_mode: Literal["longer", "shorter", "shorter_centercrop", "None"] = "longer"
    """How imaging_quality makes pictures smaller that are larger than 512."""
    allow_missing_videos: bool = False
    """Evaluate although videos of the prompt list are missing; scores are then of the others, and not comparable."""
    missing_dimensions: Missing = "leave_out"
    """In quality, semantic and total score: left out, or with the raw score `zero`, as in VBench's own script."""
    outputs: list[Output] = Field(default=["mean_score"], min_length=1)
    """What the job gives, in the order of its `output`."""

    @field_validator("dimension_list")
    @classmethod
    def _dimensions_are_known(cls, value: list[str]) -> list[str]:
        unknown = [name for name in value if name not in DIMENSIONS]
        if unknown:
            raise ValueError(f"VBench has no dimension '{unknown[0]}'; it has {', '.join(DIMENSIONS)}")
        if len(set(value)) != len(value):
            raise ValueError("a dimension is named twice")
        return value

    @field_validator("eval_name")
    @classmethod
    def _name_can_name_a_file(cls, value: str) -> str:
        if not value.strip() or value in (".", "..") or any(sign in value for sign in "/\0\n"):
            raise ValueError("it names a folder and files: no '/', and not empty")
        return value
