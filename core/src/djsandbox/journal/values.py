"""Results of jobs as JSON and back: what a component returns must survive until a later process reads it."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from djsandbox.errors import SandboxError
from djsandbox.journal.frames import frame_kind, load_frame, store_frame

TAG = "__djsandbox__"
_FIX = "return numbers, text, lists, mappings, paths or data frames; write anything else to a file and return its path"


def encode(value: Any, *, name: str, frames: Path | None = None) -> Any:
    """`value` as plain JSON data; what JSON lacks is tagged, so that `decode` gives it back.

    Tuples and numpy arrays become lists, numpy scalars Python's, integer keys text; pandas frames and series go to parquet
    files in the folder `frames`. `name` is the output that errors (SandboxError) speak of.
    """
    try:
        return _Encoder(name, frames).encode(value, "")
    except RecursionError:
        raise SandboxError(f"cannot record '{name}': it contains itself, or is nested too deeply", fix=_FIX) from None


def decode(data: Any, *, frames: Path | None = None) -> Any:
    """The value that `encode` was given. Raises SandboxError where a frame's file in `frames` is missing or changed."""
    if isinstance(data, list):
        return [decode(item, frames=frames) for item in data]
    if not isinstance(data, dict):
        return data
    kind = data.get(TAG)
    if kind is None:
        return {key: decode(item, frames=frames) for key, item in data.items()}
    if kind == "mapping":
        return {key: decode(item, frames=frames) for key, item in data["value"].items()}
    if kind == "frame":
        return load_frame(data["file"], kind, frames)
    if kind == "series":
        series = load_frame(data["file"], kind, frames)
        series.name = decode(data["name"])
        return series
    if kind not in _DECODERS:
        raise SandboxError(
            f"a recorded value is of the unknown kind '{kind}'", fix="a newer djsandbox wrote it: upgrade this one"
        )
    return _DECODERS[kind](data["value"])


_DECODERS: Mapping[str, Callable[[str], Any]] = {
    "path": Path,
    "float": float,
    "datetime": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
}


@dataclass(frozen=True, slots=True)
class _Encoder:
    name: str
    frames: Path | None

    def encode(self, value: Any, place: str) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else _tagged("float", value=repr(float(value)))
        if isinstance(value, Mapping):
            return self._mapping(value, place)
        if isinstance(value, (list, tuple)):
            return [self.encode(item, f"{place}[{index}]") for index, item in enumerate(value)]
        return self._tagged_or_converted(value, place)

    def _mapping(self, value: Mapping[Any, Any], place: str) -> dict[str, Any]:
        items: dict[str, Any] = {}
        for key, item in value.items():
            text = self._key(key, place)
            if text in items:
                raise self._error(place, f"it has the key {text} twice, as a number and as text")
            items[text] = self.encode(item, f"{place}.{text}")
        return _tagged("mapping", value=items) if TAG in items else items

    def _key(self, key: Any, place: str) -> str:
        if _is_numpy(key) and getattr(key, "dtype", None) is not None and key.dtype.kind in "iu":
            key = key.item()
        if isinstance(key, str):
            return str.__str__(key)
        if isinstance(key, int) and not isinstance(key, bool):
            return str(int(key))
        raise self._error(place, f"it has the key {key!r}, a {_kind(key)}; keys are text or integers")

    def _tagged_or_converted(self, value: Any, place: str) -> Any:
        if isinstance(value, PurePath):
            return _tagged("path", value=str(value))
        if isinstance(value, dt.datetime) and value == value:  # noqa: PLR0124 - pandas' NaT is a datetime, too
            return _tagged("datetime", value=value.isoformat(timespec="microseconds"))
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return _tagged("date", value=value.isoformat())
        if _is_numpy(value):
            return self._numpy(value, place)
        kind = frame_kind(value)
        if kind is not None:
            return self._frame(value, kind, place)
        raise self._error(place, f"it is a {_kind(value)}")

    def _frame(self, value: Any, kind: str, place: str) -> dict[str, Any]:
        label: dict[str, Any] = {}
        if kind == "series":
            label["name"] = self.encode(value.name, f"{place}.name")
            if isinstance(label["name"], list):
                raise self._error(place, "it is a series with a tuple as its name")
        return _tagged(kind, file=store_frame(value, name=self.name, folder=self.frames), **label)

    def _numpy(self, value: Any, place: str) -> Any:
        kind = getattr(getattr(value, "dtype", None), "kind", "")
        if kind == "M":
            value = value.astype("datetime64[us]")  # nanoseconds would come out as bare integers
        elif kind == "f" and value.dtype.itemsize > 8:
            value = value.astype("float64")
        elif kind not in ("b", "i", "u", "f", "U", "O"):
            raise self._error(place, f"it is a {_kind(value)} of the dtype {getattr(value, 'dtype', 'unknown')}")
        return self.encode(value.tolist(), place)

    def _error(self, place: str, what: str) -> SandboxError:
        where = f" at {place}" if place else ""
        return SandboxError(f"cannot record '{self.name}'{where}: {what}", fix=_FIX)


def _tagged(kind: str, **fields: Any) -> dict[str, Any]:
    return {TAG: kind, **fields}


def _is_numpy(value: Any) -> bool:
    return any(base.__module__.partition(".")[0] == "numpy" for base in type(value).__mro__)


def _kind(value: Any) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
