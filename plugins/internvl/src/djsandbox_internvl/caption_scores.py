"""The scores of an evaluation: read from the lines of the official one, checked, and put together."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

METRICS = ("Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "METEOR", "ROUGE_L", "CIDEr")
"""What every evaluation must give; their mean is `avg_score`."""
OPTIONAL = ("SPICE",)
AVERAGE = "avg_score"

_ITEMS = re.compile(r"dict_items\(\[(.*)\]\)")
_ITEM = re.compile(r"\('(\w+)', (?:np\.float(?:32|64)\()?([-+.\w]+?)\)")
_LINE = re.compile(rf"^(?:.*[\s\]])?({'|'.join(METRICS + OPTIONAL)}): ([-+.\w]+)\s*$")
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def scores_in(log: str) -> dict[str, float]:
    """The scores that pycocoevalcap has printed: in full precision from its summary, else from its lines.

    Where a metric stands there several times, the last one counts. Nothing is made up for what is missing.
    """
    rounded: dict[str, float] = {}
    exact: dict[str, float] = {}
    for line in re.split(r"[\r\n]+", _COLOURS.sub("", log)):
        found = _LINE.match(line)
        if found:
            _note(rounded, found[1], found[2])
        items = _ITEMS.search(line)
        for name, text in _ITEM.findall(items[1]) if items else ():
            _note(exact, name, text)
    return rounded | exact


def checked(scores: Mapping[str, float]) -> dict[str, float]:
    """`scores` with their mean, `avg_score`, in which SPICE is not; ValueError with what is missing or no number."""
    missing = [name for name in METRICS if name not in scores]
    if missing:
        raise ValueError(f"these scores are missing: {', '.join(missing)}")
    wrong = [name for name in METRICS if not math.isfinite(scores[name])]
    if wrong:
        raise ValueError(f"these scores are no numbers: {', '.join(f'{name} is {scores[name]}' for name in wrong)}")
    known = {name: float(scores[name]) for name in (*METRICS, *OPTIONAL) if name in scores}
    return {**known, AVERAGE: sum(known[name] for name in METRICS) / len(METRICS)}


def _note(scores: dict[str, float], name: str, text: str) -> None:
    try:
        number = float(text)
    except ValueError:
        return
    if name in (*METRICS, *OPTIONAL):
        scores[name] = number
