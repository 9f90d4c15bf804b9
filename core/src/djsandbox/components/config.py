"""The typed configuration of a component: the block of a job that feeds it, less `type`."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class ComponentConfig(BaseModel):
    """Base of every component's nested `Config`.

    Unknown keys are refused (with the nearest name) before any job runs. Name in `outside_key` the fields that do not change
    the result, such as `num_proc`: they stay out of the job's content key.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=(), validate_default=True)

    outside_key: ClassVar[frozenset[str]] = frozenset()
