"""What `trinity.common.config` does with a config file: its keys are checked, its `${oc.env:...}` replaced."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

import yaml

from djsandbox_trinity.schema import load_schema, unknown_keys

_VARIABLE = re.compile(r"\$\{oc\.env:(?P<name>\w+)(?:,(?P<default>[^}]*))?\}")
_COUNTS = (("buffer", "total_steps"), ("trainer", "total_steps"), ("buffer", "batch_size"), ("buffer", "total_epochs"))


class Config:
    """A config; `get` follows a path of keys."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data
        self.mode = data.get("mode", "both")

    def get(self, *keys: str, default: Any = None) -> Any:
        """The value at the end of `keys`."""
        value: Any = self._data
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        return default if value is None else value

    def get_checkpoint_job_dir(self) -> str:
        """The folder of the job: root, project, group and name."""
        parts = (("checkpoint_root_dir", ""), ("project", "Trinity-RFT"), ("group", ""), ("name", "rft"))
        return os.path.join(*(str(self.get(key, default=default)) for key, default in parts))


def load_config(config_path: str) -> Config:
    """The config in a file; ValueError as Trinity words it where it is wrong."""
    with open(config_path, encoding="utf-8") as file:
        data = yaml.safe_load(file)
    if not isinstance(data, Mapping):
        problem = "Cannot merge DictConfig with ListConfig"
        raise ValueError(f"Invalid configuration: {problem}\n    full_key: \n    object_type=Config")
    for unknown in unknown_keys(data, load_schema()):
        dotted = ".".join(map(str, unknown.loc))
        key, cls = unknown.loc[-1], unknown.section
        raise ValueError(f"Invalid configuration: Key '{key}' not in '{cls}'\n    full_key: {dotted}\n    object_type={cls}")
    config = Config(_resolved(data))
    for keys in _COUNTS:
        value = config.get(*keys, default=0)
        if not isinstance(value, int):
            message = f"Value '{value}' of type '{type(value).__name__}' could not be converted to Integer"
            raise ValueError(f"Invalid configuration: {message}\n    full_key: {'.'.join(keys)}")
    return config


def _resolved(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _resolved(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolved(item) for item in value]
    return _VARIABLE.sub(_value_of, value) if isinstance(value, str) else value


def _value_of(match: re.Match[str]) -> str:
    value = os.environ.get(match["name"], match["default"])
    if value is None:
        raise ValueError(f"Invalid configuration: Environment variable '{match['name']}' not found")
    return value
