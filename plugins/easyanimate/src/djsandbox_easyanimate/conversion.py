"""The data executor that makes datasets which EasyAnimate reads from those that Data-Juicer writes."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from djsandbox import BaseDataExecutor, ComponentConfig, Finding, InputPaths, OutputPath, is_decided_at_run
from djsandbox.errors import ComponentError
from pydantic import Field

from djsandbox_easyanimate.rows import rows_of

_SUFFIX = "_ea_fmt.json"
_COMPRESSED = (".gz", ".zst", ".parquet", ".arrow")


class DJToEasyAnimateVideoConversion(BaseDataExecutor):
    """Converts a Data-Juicer video dataset to EasyAnimate's format."""

    deterministic = True

    class Config(ComponentConfig):
        """Datasets, and what their special words and keys are."""

        dataset_path: InputPaths = Field(min_length=1)
        """Datasets of Data-Juicer, JSON lists or JSON lines; one or a list."""
        export_path: OutputPath
        """Folder of the results, `<name of the dataset>_ea_fmt.json`."""
        video_key: str = "videos"
        """Key of a sample's videos, of which the first is taken."""
        text_key: str = "text"
        """Key of a sample's caption."""
        special_tokens: list[str] = Field(default_factory=lambda: ["<__dj__video>", "<|__dj__eoc|>"])
        """What is taken out of the captions."""

    def check(self) -> Iterable[Finding]:
        """Whether two results would have one name, or an input cannot be read."""
        paths = self._known_paths()
        for at, path in enumerate(paths):
            if path.lower().endswith(_COMPRESSED):
                yield Finding(("dataset_path", at), f"{path} is neither a JSON list nor JSON lines", "export it as .jsonl")
        names = Counter(self._targets())
        for name, count in names.items():
            if count > 1:
                yield Finding(("dataset_path",), f"{count} datasets would be written to {name}", "rename one of them")

    def output_paths(self) -> list[str]:
        """The files that it writes; the folder may hold others'."""
        return self._targets() or [self.config.export_path]

    def run(self) -> str | list[str]:
        """Convert; the path of the result, or the list of them where there are several datasets."""
        for source, target in zip(self.config.dataset_path, self._targets(), strict=True):
            if os.path.abspath(source) == os.path.abspath(target):
                raise ComponentError(f"{source} would be written over", fix="choose another export_path")
            rows, skipped = self._convert(source, Path(target))
            self.watcher.watch({"rows": rows, "without_video": skipped}, "")
        return _one_or_all(self._targets())

    def _convert(self, source: str, target: Path) -> tuple[int, int]:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.unfinished")
        written = number = 0
        with draft.open("w", encoding="utf-8") as file:
            file.write("[")
            for number, row in enumerate(rows_of(source), start=1):
                for converted in self._converted(row, number, source):
                    file.write(("," if written else "") + "\n" + json.dumps(converted, ensure_ascii=False))
                    written += 1
            file.write("\n]\n")
        if not written:
            draft.unlink()
            raise ComponentError(
                f"no sample of {source} has a video", fix=f"set video_key; it is '{self.config.video_key}' now"
            )
        os.replace(draft, target)
        return written, number - written

    def _converted(self, row: dict[str, Any], number: int, source: str) -> Iterator[dict[str, Any]]:
        """The row in the format of both versions; nothing where it has no video."""
        config = self.config
        videos, text = row.get(config.video_key), row.get(config.text_key)
        if config.video_key not in row:
            raise ComponentError(f"row {number} of {source} has no '{config.video_key}'", fix="set video_key")
        if not isinstance(text, str):
            raise ComponentError(f"row {number} of {source} has no text in '{config.text_key}'", fix="set text_key")
        videos = [videos] if isinstance(videos, str) else videos
        if not videos:
            return
        for token in config.special_tokens:
            text = text.replace(token, "")
        yield {**row, "videos": videos, "file_path": videos[0], "text": text.strip(), "type": "video"}

    def _known_paths(self) -> list[str]:
        paths = getattr(self.config, "dataset_path", None)
        return [] if not isinstance(paths, list) or is_decided_at_run(paths) else paths

    def _targets(self) -> list[str]:
        return [os.path.join(self.config.export_path, Path(path).stem + _SUFFIX) for path in self._known_paths()]


def _one_or_all(paths: list[str]) -> str | list[str]:
    return paths[0] if len(paths) == 1 else paths
