"""How models and datasets are named in a config: by a local path, or as ModelScope's hub calls them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Annotated, Any, Literal

from djsandbox import InputPath
from pydantic import BaseModel, BeforeValidator, ConfigDict

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_GPU = re.compile(r"(?:gpu|cuda)(?::\d+)?")
_DATA = {".jsonl", ".json", ".csv", ".tsv", ".parquet", ".txt", ".gz", ".zst", ".bz2", ".xz"}


class HubModel(BaseModel):
    """A model of ModelScope's hub, `owner/name`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hub: str


class HubDataset(BaseModel):
    """A dataset of ModelScope's hub, as `MsDataset.load` takes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset_name: str
    namespace: str | None = None
    subset_name: str | None = None
    version: str | None = None
    split: str | None = None


def _model(value: Any) -> Any:
    if isinstance(value, Mapping) and set(value) != {"hub"}:
        raise ValueError("give the folder of a model, or its name on ModelScope's hub, as text: owner/name")
    return HubModel(hub=value) if _is_hub_name(value) else value


def _device(value: Any) -> Any:
    return "gpu" if isinstance(value, str) and _GPU.fullmatch(value) else value


def _dataset(value: Any) -> Any:
    if isinstance(value, Mapping) and not {"dataset_name"} <= set(value) <= set(HubDataset.model_fields):
        known = ", ".join(HubDataset.model_fields)
        raise ValueError(f"a dataset of ModelScope's hub is named by 'dataset_name'; known keys: {known}")
    if isinstance(value, str) and PurePath(value).suffix.lower() not in _DATA and _is_hub_name(value):
        return HubDataset(dataset_name=value)
    return value


def _is_hub_name(value: Any) -> bool:
    """`owner/name` that is nothing here; a path that begins with `./` is never one."""
    return isinstance(value, str) and _HUB_NAME.fullmatch(value) is not None and not os.path.exists(value)


Model = Annotated[InputPath | HubModel, BeforeValidator(_model)]
"""The folder of a model, or its name on the hub."""

Dataset = Annotated[InputPath | HubDataset, BeforeValidator(_dataset)]
"""A file or folder of data; or a dataset of the hub, by name or as a mapping with `dataset_name`."""


Device = Annotated[Literal["gpu", "cpu"], BeforeValidator(_device)]
"""`gpu`, also as ModelScope and torch call it, or `cpu`. Which GPU, the launcher says."""


def model_text(model: str | HubModel) -> str:
    """What the worker is told: a full path, which no hub mistakes for a name, or the name on the hub."""
    return model.hub if isinstance(model, HubModel) else os.path.abspath(model)


def dataset_order(dataset: str | HubDataset | None) -> Any:
    """What the worker is told: a full path, or the mapping for the hub."""
    return os.path.abspath(dataset) if isinstance(dataset, str) else dataset and dataset.model_dump()
