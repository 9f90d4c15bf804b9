"""The table of known errors that users read is the one that the core uses."""

from __future__ import annotations

from pathlib import Path

import pytest
from djsandbox.components.known_errors import KnownError
from djsandbox.engine.diagnosis.installed import installed
from djsandbox.engine.diagnosis.searcher import TAIL

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "guide" / "known-errors.md").read_text(encoding="utf-8")
CORE = [known for known, claim in installed().items() if claim.distribution == "djsandbox"]


@pytest.mark.parametrize("known", CORE, ids=[known.name for known in CORE])
def test_each_is_in_the_table_as_it_is_told(known: KnownError) -> None:
    assert f"| {known.name} | {known.explanation} | {known.remedy} |\n" in PAGE


def test_the_table_has_no_others() -> None:
    assert PAGE.count("\n| ") - PAGE.count("\n| error |") == len(CORE)


def test_the_page_says_how_much_of_a_log_is_searched() -> None:
    assert f"the last {TAIL // 1024} KiB are searched" in PAGE
