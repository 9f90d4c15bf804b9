"""Runs in Trinity's environment: reads a config file as Trinity will, and tells the folder of its job, as JSON."""

from __future__ import annotations

import json
import sys


def main() -> int:
    """Check the file that the only argument names; the last line of standard output is the answer."""
    try:
        from trinity.common.config import load_config  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
    except ImportError as error:
        return _answer(1, problem=f"this environment has no Trinity-RFT that works: {error}")
    try:
        config = load_config(sys.argv[1])
    except Exception as error:  # whatever its parsers raise means the same: Trinity would not start
        return _answer(1, problem=f"{type(error).__name__}: {error}")
    return _answer(0, job_dir=config.get_checkpoint_job_dir())


def _answer(code: int, **answer: str) -> int:
    sys.stdout.write("\n" + json.dumps(answer) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
