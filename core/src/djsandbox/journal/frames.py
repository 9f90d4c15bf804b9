"""Data frames of outputs, kept as parquet files beside the journal and named by their content."""

from __future__ import annotations

import hashlib
import importlib
import io
import warnings
from pathlib import Path
from typing import Any

from djsandbox.errors import SandboxError
from djsandbox.journal.atomic import write_atomically

_COLUMN = "value"


def frame_kind(value: Any) -> str | None:
    """`"frame"` for a pandas DataFrame, `"series"` for a Series, else None; pandas is not imported to find out."""
    for base in type(value).__mro__:
        if base.__module__.partition(".")[0] == "pandas" and base.__name__ in ("DataFrame", "Series"):
            return "frame" if base.__name__ == "DataFrame" else "series"
    return None


def store_frame(value: Any, *, name: str, folder: Path | None) -> str:
    """Write a frame or series to `folder` and return its file's name. Raises SandboxError naming `name`."""
    if folder is None:
        raise SandboxError(f"cannot record '{name}': a data frame has no place here", fix="record plain numbers taken from it")
    table = value if frame_kind(value) == "frame" else value.to_frame(_COLUMN)
    buffer = io.BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # pandas warns where labels would not come back as they were
            table.to_parquet(buffer, engine="pyarrow")
    except ImportError as error:
        raise _needs_pyarrow(f"cannot record '{name}'") from error
    except Exception as error:  # pyarrow's own hierarchy, which cannot be named without importing it
        raise SandboxError(
            f"cannot record '{name}': the data frame does not go into a parquet file: {error}",
            fix="give each column one type and a text label, or write the frame to a file and return its path",
        ) from error
    data = buffer.getvalue()
    file = f"{_digest(data)}.parquet"
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / file, data)
    return file


def load_frame(file: str, kind: str, folder: Path | None) -> Any:
    """The frame or series in `file`; SandboxError where it is missing or is not what was written."""
    path = (folder or Path()) / file
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        data = b""
    if folder is None or f"{_digest(data)}.parquet" != file:
        raise SandboxError(f"the recorded data frame {path} is missing or has been changed", fix="run without --resume")
    try:
        # By name: pandas is heavy and not a dependency of the core; a recorded frame means that it was there.
        table = importlib.import_module("pandas").read_parquet(io.BytesIO(data), engine="pyarrow")
    except ImportError as error:
        raise _needs_pyarrow(f"cannot read the recorded data frame {path}") from error
    return table if kind == "frame" else table[_COLUMN]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def _needs_pyarrow(what: str) -> SandboxError:
    return SandboxError(f"{what}: this needs pandas and pyarrow", fix="pip install pandas pyarrow")
