"""What can be found wrong with inference before anything is asked."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path

from djsandbox import ComponentError, Finding, is_decided_at_run
from djsandbox.errors import did_you_mean

from djsandbox_llm.config import InferConfig
from djsandbox_llm.messages import ARGUMENTS
from djsandbox_llm.rows import Asking, rows_of

_ROWS = 1000
_TEMPLATES = ("chat_template.jinja", "chat_template.json", "additional_chat_templates")


def data_findings(config: InferConfig) -> Iterator[Finding]:
    """Arguments that are passed over, and data pools with a row (of the first thousand) that cannot be asked about.

    Only warnings: an earlier job of the run may write the file anew. The job itself goes through all rows before it asks for
    the first.
    """
    yield from _argument_findings(config)
    asking = Asking(config.build_messages_func, config.func_kwargs)
    for at, path in enumerate(config.dataset_path):
        if is_decided_at_run(path) or not os.path.exists(path):
            continue
        try:
            count = 0
            for where, row in itertools.islice(rows_of(path), _ROWS):
                asking.conversations(row, where)
                count += 1
        except ComponentError as error:
            problem = error.problems[0]
            message = f"{problem.where}: {problem.message}" if problem.where else problem.message
            yield Finding(("dataset_path", at), message, problem.fix, severity="warning")
            continue
        if not count:
            yield Finding(("dataset_path", at), f"the data pool {path} asks for nothing: it has no rows", severity="warning")


def _argument_findings(config: InferConfig) -> Iterator[Finding]:
    """Arguments that the functions pass over: a misspelt `system_key` would only leave the system message out."""
    functions = (config.build_messages_func.call, config.parse_output_func.call)
    if not all(function in ARGUMENTS for function in functions):  # what others make of theirs is not ours to know
        return
    known = frozenset().union(*(ARGUMENTS[function] for function in functions))
    for name in config.func_kwargs:
        if name not in known:
            fix = did_you_mean(name, sorted(known))
            yield Finding(("func_kwargs", name), f"nothing is made of '{name}'", fix, severity="warning")


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


def template_findings(model: str, *, has_template: bool, is_open: bool) -> Iterator[Finding]:
    """A model's folder without a chat template, and none in the config; its own code may do without (`is_open`)."""
    folder = Path(model).expanduser()
    about = folder / "tokenizer_config.json"
    if has_template or is_decided_at_run(model) or not about.is_file() or any((folder / name).exists() for name in _TEMPLATES):
        return
    try:
        config = json.loads(about.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        yield Finding(("model",), f"{about} cannot be read: {error}", "give the folder of a whole model")
        return
    if not (isinstance(config, dict) and config.get("chat_template")):
        yield Finding(
            ("model",),
            f"the model in {model} has no chat template, by which the messages are put together",
            "take the chat version of the model, or name a file with a template in 'chat_template'",
            severity="warning" if is_open else "error",
        )
