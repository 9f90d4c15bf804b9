"""JSON as it is written to files: UTF-8 that people can read, and names of files whatever they are."""

from __future__ import annotations

import json
from typing import Any


def json_bytes(data: Any, *, indent: int | None = None, allow_nan: bool = False) -> bytes:
    """`data` as JSON in UTF-8; what comes back from reading it is the same, also where UTF-8 cannot have it.

    File names that are not UTF-8 arrive in Python as lone surrogates: data that holds one is written in ASCII, with escapes.
    """
    try:
        return json.dumps(data, ensure_ascii=False, allow_nan=allow_nan, indent=indent).encode()
    except UnicodeEncodeError:
        return json.dumps(data, allow_nan=allow_nan, indent=indent).encode()
