"""The models of the quality classifier: Data-Juicer's own, which it downloads into its cache, and a user's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from djsandbox_datajuicer.named_files import model_folders

LINKS = "https://dail-wlcb.oss-cn-wulanchabu.aliyuncs.com/data_juicer/models/"
"""`MODEL_LINKS` of data_juicer/utils/model_utils.py."""


@dataclass(frozen=True, slots=True)
class OwnModel:
    """A model of Data-Juicer's, with what its tools use with it.

    `tokenizer` is the file of a SentencePiece model, None where Spark's own tokenizer is used.
    """

    name: str
    tokenizer: str | None = None

    @property
    def folder(self) -> Path:
        """Where it lies once it is downloaded."""
        return model_folders()[0] / f"{self.name}_quality_model"

    def missing(self) -> list[Path]:
        """What is to be downloaded, and where it will lie."""
        found = [] if is_pipeline(self.folder) else [self.folder]
        if self.tokenizer is not None and not any((folder / self.tokenizer).is_file() for folder in model_folders()):
            found.append(model_folders()[0] / self.tokenizer)
        return found

    def link(self, missing: Path) -> str:
        """Where one of what is missing comes from."""
        return f"{LINKS}{missing.name}.zip" if missing == self.folder else f"{LINKS}{missing.name}"


OWN = {model.name: model for model in (OwnModel("gpt3"), OwnModel("chinese", "zh.sp.model"), OwnModel("code", "code.sp.model"))}


def is_pipeline(folder: Path) -> bool:
    """Whether a folder is a trained Spark pipeline, as Data-Juicer's training tool writes it."""
    return (folder / "metadata").is_dir() and (folder / "stages").is_dir()
