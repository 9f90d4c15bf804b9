"""The executor that makes Data-Juicer datasets of InternVL's COCO captions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from djsandbox import DECIDED_AT_RUN, BaseDataExecutor, ComponentConfig, InputPaths, OutputPath, ReferencePath, unique_names
from djsandbox.errors import ComponentError, Position
from pydantic import Field

from djsandbox_internvl.open_paths import is_open
from djsandbox_internvl.rows import Row, read_rows, refuse_overwriting, write_rows

IMAGE_TOKEN = "<__dj__image>"  # noqa: S105 - Data-Juicer's mark for where an image stands
_SUFFIX = "_dj_fmt.jsonl"


class COCOCaptionToDJConversion(BaseDataExecutor):
    """Converts an InternVL COCO-caption dataset to Data-Juicer's format."""

    class Config(ComponentConfig):
        """Which datasets, and where the converted ones go."""

        dataset_path: InputPaths = Field(min_length=1)
        """Annotations of InternVL, JSON lines or a JSON list of {image, conversations}."""
        export_path: OutputPath
        """Folder of the converted datasets, `<name>_dj_fmt.jsonl`."""
        images_root: ReferencePath | None = None
        """Folder that is put in front of the paths in `images`; by default they stay relative to the dataset's folder."""

    deterministic = True

    def planned_outputs(self) -> Any:
        """The paths of the converted datasets, where the inputs are known."""
        return DECIDED_AT_RUN if any(map(is_open, self.config.dataset_path)) else [str(path) for path in self._targets()]

    def run(self) -> list[str]:
        """Add `text`, the caption after a mark for each image, and `images` to each row; all else stays as it is.

        Returns the paths of the new files, in the order of `dataset_path`.
        """
        written = []
        for path, target in zip(self.config.dataset_path, self._targets(), strict=True):
            refuse_overwriting(target, self.config.dataset_path)
            count = write_rows(target, self._converted(path))
            if not count:
                raise ComponentError(f"{path} has no rows", fix="see why the job that wrote it kept nothing")
            self.logger.info("%s: %d rows", target, count)
            written.append(str(target))
        return written

    def _targets(self) -> list[Path]:
        return [Path(self.config.export_path) / f"{name}{_SUFFIX}" for name in unique_names(self.config.dataset_path)]

    def _converted(self, path: str) -> Iterator[Row]:
        root = Path(self.config.images_root).absolute() if self.config.images_root else None
        for number, row in read_rows(path):
            images = _images(row)
            caption = _caption(row)
            if not images or caption is None:
                lacking = "image" if not images else "answer in its conversations"
                fix = 'InternVL\'s rows are {"image": PATH, "conversations": [{"from": "human", ...}, {"from": "gpt", ...}]}'
                raise ComponentError(f"this row has no {lacking}", where=Position(path, number), fix=fix)
            placed = [str(root / image) if root else image for image in images]
            yield {**row, "images": placed, "text": " ".join([IMAGE_TOKEN] * len(images) + [caption])}


def _images(row: Row) -> list[str]:
    image = row.get("image")
    listed = image if isinstance(image, list) else [image]
    return [str(one) for one in listed] if all(isinstance(one, str) and one for one in listed) else []


def _caption(row: Row) -> str | None:
    """The first answer; by who speaks, or where that is not said, the second turn."""
    turns = row.get("conversations")
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        return None
    answers = [turn for turn in turns if turn.get("from") == "gpt"] or turns[1:2]
    value = answers[0].get("value") if answers else None
    return value if isinstance(value, str) else None
