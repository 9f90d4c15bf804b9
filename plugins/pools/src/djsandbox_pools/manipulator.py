"""What the data-pool manipulators have in common: their settings, reading and writing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

from djsandbox import DECIDED_AT_RUN, BaseDataPoolManipulator, ComponentConfig, Finding, InputPaths, OutputPath
from pydantic import AliasChoices, BeforeValidator, Field, ValidationError

from djsandbox_pools.jsonlines import JsonLines
from djsandbox_pools.writing import PoolWriter

_NOT_JSON_LINES = frozenset({".parquet", ".arrow", ".csv", ".tsv", ".gz", ".zst", ".bz2", ".xz", ".zip"})


def as_list(value: object) -> object:
    """`value` as a list, a single one as a list of one."""
    return list(value) if isinstance(value, (list, tuple)) else [value]


Pools = Annotated[InputPaths, Field(min_length=1)]
"""At least one JSON-lines file."""

ShuffleSeed = Annotated[int, Field(ge=0, validation_alias=AliasChoices("shuffle_seed", "seed"))]
"""Seed of the permutation; `seed` is another spelling of `shuffle_seed`."""

Times = Annotated[list[Annotated[int, Field(ge=1, strict=True)]], BeforeValidator(as_list), Field(min_length=1)]
"""At least one whole number from 1 on; a single one is a list of one."""


def known_paths(config: ComponentConfig, field: str) -> list[str]:
    """The paths in `field`; while planning, none where something only stands in for a path that an earlier job will give."""
    value = getattr(config, field, None)
    if not isinstance(value, list) or not all(isinstance(path, str) for path in value):
        return []
    return [] if any(path.startswith("<") and path.endswith(">") for path in value) else value


def _is_whole(config: ComponentConfig) -> bool:
    """Whether all values are known; a plan makes a config unvalidated where some are not."""
    try:
        type(config).model_validate(dict(config))
    except ValidationError:
        return False
    return True


class PoolManipulatorConfig(ComponentConfig):
    """Where the pools lie and where the new ones go."""

    dataset_path: Pools
    """The data pools: JSON-lines files, one or a list."""
    export_path: OutputPath
    """Folder of the new pools; it is made."""


class PoolManipulator(BaseDataPoolManipulator):
    """Base of the manipulators: makes new JSON-lines files of the raw rows of others."""

    Config: ClassVar[type[ComponentConfig]] = PoolManipulatorConfig
    deterministic = True
    source_fields: ClassVar[tuple[str, ...]] = ("dataset_path",)

    def check(self) -> Iterable[Finding]:
        """Find inputs whose name says that they are no JSON-lines files."""
        for name in self.source_fields:
            for index, path in enumerate(known_paths(self.config, name)):
                suffix = Path(path).suffix.lower()
                if suffix in _NOT_JSON_LINES:
                    yield Finding(
                        (name, index), f"{path} is a {suffix} file", "data pools are uncompressed JSON-lines files; convert it"
                    )

    def targets(self) -> list[str]:
        """The paths of the new pools, as far as a whole config decides them without a look at the data; else none."""
        return []

    def planned_outputs(self) -> Any:
        """The paths of the new pools, where the config is known and decides them."""
        known = all(known_paths(self.config, field) for field in self.source_fields)
        return (known and _is_whole(self.config) and self.targets()) or DECIDED_AT_RUN

    def read(self, field: str = "dataset_path") -> list[JsonLines]:
        """The pools that `field` names, all of them checked before the first is written."""
        return [JsonLines(path) for path in getattr(self.config, field)]

    def writer(self) -> PoolWriter:
        """A writer that spares this job's inputs."""
        return PoolWriter(path for field in self.source_fields for path in getattr(self.config, field))

    def exported(self, names: Sequence[str]) -> list[str]:
        """The paths of files called `names` in `export_path`."""
        return [str(Path(self.config.export_path) / name) for name in names]
