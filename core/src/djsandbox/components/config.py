"""The typed configuration of a component: the block of a job that feeds it, less `type`."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from djsandbox.components.paths import holds_path_in_set


class ComponentConfig(BaseModel):
    """Base of every component's nested `Config`.

    Unknown keys are refused (with the nearest name) before any job runs. Name in `outside_key` the fields that do not change
    the result, such as `num_proc`: they stay out of the job's content key.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, protected_namespaces=(), validate_default=True, use_attribute_docstrings=True
    )

    outside_key: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a typed path where the engine could not follow it: in a set, which has no order to address it by.

        `outside_key` adds to what the bases name.
        """
        super().__pydantic_init_subclass__(**kwargs)
        cls.outside_key = frozenset().union(*(vars(one).get("outside_key", ()) for one in cls.__mro__))
        for name, info in cls.model_fields.items():
            if holds_path_in_set(info.annotation):
                raise TypeError(f"{cls.__qualname__}.{name}: a set cannot hold typed paths; use a list")
