"""Metrics in the lines that InternVL's programs print."""

from __future__ import annotations

import re

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_DICT = re.compile(r"\{(?=[^{}]*'(?:loss|train_loss)': )[^{}]*\}")
_PAIR = re.compile(r"'(\w+)': '?([-+.\w]+)'?")
_NAMES = {"learning_rate": "lr"}


def training_metrics(line: str) -> dict[str, float] | None:
    """The numbers of a line such as `{'loss': 2.055, 'learning_rate': 3e-05, 'epoch': 0.02}`, wherever it stands in `line`.

    `learning_rate` is called `lr`; nan and inf are numbers, too. None where the line is no such one. A line about a whole
    training has `train_loss` instead of `loss`.
    """
    found = _DICT.search(_COLOURS.sub("", line))
    if found is None:
        return None
    return {_NAMES.get(name, name): number for name, text in _PAIR.findall(found[0]) if (number := _number(text)) is not None}


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
