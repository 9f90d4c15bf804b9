"""The executor that writes InternVL's meta files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from djsandbox import (
    DECIDED_AT_RUN,
    BaseDataExecutor,
    ComponentConfig,
    Finding,
    InputPaths,
    OutputPath,
    ReferencePath,
    unique_names,
)
from djsandbox.errors import ComponentError
from pydantic import Field

from djsandbox_internvl.open_paths import is_open
from djsandbox_internvl.rows import is_json_list, read_rows, refuse_overwriting, write_rows


class COCOCaptionMetaGeneration(BaseDataExecutor):
    """Writes the meta file with which InternVL finds a COCO-caption dataset."""

    class Config(ComponentConfig):
        """Which data pools, and what the meta files say of them."""

        dataset_path: InputPaths = Field(min_length=1)
        """Data pools, JSON lines of {image, conversations}; a JSON list is written as JSON lines beside the meta file."""
        export_path: OutputPath
        """Folder of the meta files, `<name>_meta.json`."""
        data_root_path: ReferencePath | None = None
        """Folder that InternVL runs in, `<internvl_home>/internvl_chat`: paths are written relative to it, else absolute."""
        root: str = "data/coco/"
        """Folder of the images, relative to where InternVL runs."""
        data_augment: bool = False
        """Whether images are changed at random in training."""
        repeat_time: float = Field(default=1, gt=0)
        """How often the rows are repeated, a whole number; below 1, the share of them that is used."""
        max_dynamic_patch: int | None = Field(default=None, ge=1)
        """The most tiles of an image of this data set; by default what the training says."""

    deterministic = True

    def check(self) -> Iterable[Finding]:
        """InternVL repeats rows a whole number of times."""
        times = self.config.repeat_time
        if times > 1 and not float(times).is_integer():
            yield Finding(("repeat_time",), f"'repeat_time' is {times}", "a whole number, or a share below 1")

    def key_fields(self) -> Mapping[str, Any]:
        """The config, and where the data pools lie: that is what the meta files say."""
        return {**super().key_fields(), "annotations": [os.path.abspath(path) for path in self.config.dataset_path]}

    def planned_outputs(self) -> Any:
        """The paths of the meta files, where the data pools are known."""
        return DECIDED_AT_RUN if any(map(is_open, self.config.dataset_path)) else [str(path) for path in self._targets()]

    def run(self) -> list[str]:
        """Write a meta file for each data pool; returns their paths, in the order of `dataset_path`."""
        names = unique_names(self.config.dataset_path)
        return [
            self._written(path, name, target)
            for path, name, target in zip(self.config.dataset_path, names, self._targets(), strict=True)
        ]

    def _targets(self) -> list[Path]:
        return [Path(self.config.export_path) / f"{name}_meta.json" for name in unique_names(self.config.dataset_path)]

    def _written(self, path: str, name: str, target: Path) -> str:
        refuse_overwriting(target, self.config.dataset_path)
        annotation = path
        if is_json_list(path) or Path(path).suffix != ".jsonl":  # InternVL takes nothing else
            lines = target.with_name(f"{name}.jsonl")
            refuse_overwriting(lines, self.config.dataset_path)
            length = write_rows(lines, (row for _, row in read_rows(path)))
            annotation = str(lines)
        else:
            length = sum(1 for _ in read_rows(path))
        if not length:
            raise ComponentError(f"{path} has no rows", fix="see why the job that wrote it kept nothing")
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        part.write_text(json.dumps({name: self._meta(annotation, length)}, indent=2), encoding="utf-8")
        part.replace(target)
        return str(target)

    def _meta(self, annotation: str, length: int) -> dict[str, Any]:
        config = self.config
        times = config.repeat_time
        place = os.path.abspath(annotation)
        meta = {
            "root": config.root,
            "annotation": os.path.relpath(place, os.path.abspath(config.data_root_path)) if config.data_root_path else place,
            "data_augment": config.data_augment,
            "repeat_time": int(times) if float(times).is_integer() else times,
            "length": length,
        }
        return meta if config.max_dynamic_patch is None else {**meta, "max_dynamic_patch": config.max_dynamic_patch}
