"""What can be found wrong with inference before anything is asked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from djsandbox import ComponentError, Finding, is_decided_at_run

from djsandbox_llm.config import InferConfig
from djsandbox_llm.rows import Asking, requests_of


def data_findings(config: InferConfig) -> Iterator[Finding]:
    """Data pools whose first row cannot be asked about.

    Only warnings: an earlier job of the run may write the file anew. The job itself goes through all rows before it asks for
    the first.
    """
    asking = Asking(config.build_messages_func, config.func_kwargs)
    for at, path in enumerate(config.dataset_path):
        if is_decided_at_run(path) or not os.path.exists(path):
            continue
        try:
            first = next(requests_of(path, asking), None)
        except ComponentError as error:
            problem = error.problems[0]
            message = f"{problem.where}: {problem.message}" if problem.where else problem.message
            yield Finding(("dataset_path", at), message, problem.fix, severity="warning")
            continue
        if first is None:
            yield Finding(("dataset_path", at), f"the data pool {path} asks for nothing: it has no rows", severity="warning")


def model_findings(model: str) -> Iterator[Finding]:
    """A model that is named by a path where nothing lies."""
    is_path = model.startswith(("/", "./", "../", "~")) or model.count("/") > 1
    if is_path and not is_decided_at_run(model) and not Path(model).expanduser().exists():
        yield Finding(
            ("model",),
            f"there is no model at {model}",
            fix="correct the path, or give the name of a model of the hub (organisation/model); for what an earlier job "
            "writes, use 'input'",
        )
