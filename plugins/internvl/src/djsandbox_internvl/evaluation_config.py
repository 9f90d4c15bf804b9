"""The config of `internvl_coco_caption` as evaluator, and what can be found wrong with it before the run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from djsandbox import CommandConfig, EnvConfig, Finding, InputPath, InputPaths, OutputPath, ReferencePath, visible_gpus
from pydantic import Field, model_validator

from djsandbox_internvl.gpus import gpu_findings
from djsandbox_internvl.open_paths import is_open
from djsandbox_internvl.surroundings import home_findings, known_chat
from djsandbox_internvl.trained_models import model_problem

ANNOTATIONS = "data/coco/annotations"
IMAGES = "data/coco"
TEST, TRUTH = f"{ANNOTATIONS}/coco_karpathy_test.json", f"{ANNOTATIONS}/coco_karpathy_test_gt.json"


class EvaluationConfig(EnvConfig, CommandConfig):
    """Which checkpoints, or which captions that are written already, and how they are scored."""

    ckpt_paths: InputPaths | None = None
    """Folders of trained models."""
    results_paths: InputPaths | None = None
    """Instead of checkpoints: captions, JSON lists of {image_id, caption}; scored here, with no GPU and no InternVL."""
    annotation_path: InputPath | None = None
    """Ground truth for scoring here, in COCO's format; by default coco_karpathy_test_gt.json of the checkout."""
    internvl_home: ReferencePath | None = None
    """Your checkout of InternVL; by default a clone that belongs to the environment."""
    num_gpus: int | None = Field(default=None, strict=True)
    """GPUs for each evaluation; by default all there are."""
    score_captions: bool = False
    """Whether the captions are scored here, without SPICE, for which the official evaluation needs the network."""
    export_path: OutputPath | None = None
    """Folder for logs, captions and scores, a folder a checkpoint in it; by default the job's own folder."""
    dynamic: bool = True
    """Whether an image becomes several tiles, as in training."""
    max_num: int = Field(default=6, ge=1)
    """The most tiles of an image."""
    num_beams: int = Field(default=1, ge=1)
    """Beams of the search for a caption; only with `dynamic: false`, for with tiles InternVL always takes 1."""
    temperature: float = Field(default=0.0, ge=0)
    """Above 0, captions are sampled."""
    seed: int = 0
    """Seed of the evaluation."""
    load_in_8bit: bool = False
    """Whether the model is loaded in 8 bit."""
    load_in_4bit: bool = False
    """Whether the model is loaded in 4 bit."""

    outside_key: ClassVar[frozenset[str]] = frozenset({"num_gpus", "export_path"})

    @model_validator(mode="after")
    def _one_of_both(self) -> EvaluationConfig:
        if bool(self.ckpt_paths) == bool(self.results_paths):
            both = "not both" if self.ckpt_paths else "and there is neither"
            raise ValueError(f"give ckpt_paths or results_paths, {both}")
        return self

    @property
    def gpus(self) -> int:
        """GPUs of an evaluation: as asked for, else all; 1 where there are none, which only a stand-in survives."""
        return self.num_gpus or len(visible_gpus()) or 1

    def options(self) -> tuple[str, ...]:
        """The arguments of the official evaluation, those left out that say what it does anyway."""
        flags = [f"--{name.replace('_', '-')}" for name in ("dynamic", "load_in_8bit", "load_in_4bit") if getattr(self, name)]
        defaults = {"max_num": 6, "num_beams": 1, "temperature": 0.0, "seed": 0}
        changed = {name: getattr(self, name) for name, default in defaults.items() if getattr(self, name) != default}
        return (*flags, *(text for name, value in changed.items() for text in (f"--{name.replace('_', '-')}", str(value))))


def relative_checkpoint(path: str, chat: Path) -> str:
    """The checkpoint as evaluate.sh wants it: relative to its own folder, for it writes that in front of whatever it gets."""
    return os.path.relpath(os.path.realpath(path), os.path.realpath(chat))


def findings(config: EvaluationConfig) -> Iterator[Finding]:
    """What is wrong with a config, in the order of its keys."""
    chat = known_chat(config, config.internvl_home)
    if config.results_paths:
        if config.annotation_path is None and (chat is None or not (chat / TRUTH).is_file()):
            yield Finding(("results_paths",), "nothing says by what the captions are scored", "set annotation_path")
        return
    yield from gpu_findings(config.num_gpus, config.launcher)
    if config.num_beams > 1 and config.dynamic:
        message = "'num_beams' changes nothing with 'dynamic': InternVL's evaluation searches with 1 beam then"
        yield Finding(("num_beams",), message, "dynamic: false, or leave num_beams out", severity="warning")
    yield from home_findings(config, config.internvl_home)
    for at, path in enumerate(config.ckpt_paths or ()):
        if is_open(path) or not Path(path).exists():
            continue
        problem = model_problem(Path(path)) if Path(path).is_dir() else f"{path} is no folder"
        if problem is not None:
            yield Finding(("ckpt_paths", at), f"this is no trained model: {problem}")
    if chat is not None:
        place = ("internvl_home",) if config.internvl_home else ("env_params",)
        yield from (Finding(place, message, fix) for message, fix in _checkout_problems(chat))


def _checkout_problems(chat: Path) -> Iterator[tuple[str, str]]:
    """What the evaluation would not find in the checkout, or not get along with."""
    if any(letter.isspace() for letter in str(chat)):
        yield f"the path {chat} has white space, which evaluate.sh does not take", "move the checkout, or name a link to it"
    lacking = [name for name in (TEST, TRUTH) if not (chat / name).is_file()]
    if lacking:
        yield f"there is no {' and no '.join(lacking)} in {chat}, which the evaluation reads", "see InternVL's own tutorial"
        return
    try:
        image = str(json.loads((chat / TEST).read_text(encoding="utf-8"))[0]["image"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        yield f"{chat / TEST} is no list of {{image: ...}}: {type(error).__name__}: {error}", "see InternVL's own tutorial"
        return
    if not (chat / IMAGES / image).is_file():
        yield f"the first image of the test split, {chat / IMAGES / image}, is not there", "see InternVL's own tutorial"
