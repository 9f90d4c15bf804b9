"""The core's own known errors: each is recognised in what tools really print, and none in what they print when all is well."""

from __future__ import annotations

import re
from importlib.metadata import distribution
from pathlib import Path

import pytest
from djsandbox.components.known_errors import KnownError
from djsandbox.engine.diagnosis.installed import installed
from djsandbox.engine.diagnosis.searching import search
from djsandbox.errors import Evidence

CORE = [known for known, claim in installed().items() if claim.distribution == "djsandbox"]
LOGS = Path(__file__).with_name("logs")
EXCERPTS = {
    name: (names.split(" + "), text.strip("\n").splitlines())
    for name, names, text in re.findall(
        r"^## (.+) -> (.+)\n((?:(?!## ).*\n)+)", (LOGS / "known_errors.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
}
"""What it is -> the known errors that it shows, in their order, and its lines."""


def recognised(lines: list[str]) -> list[str]:
    found = search([known.pattern for known in CORE], [Evidence(lines=tuple(lines))])
    assert found.is_complete and not found.slow
    return [CORE[hit.pattern].name for hit in found.hits]


@pytest.mark.parametrize("excerpt", EXCERPTS)
def test_what_a_tool_prints_is_recognised_and_taken_for_nothing_else(excerpt: str) -> None:
    names, lines = EXCERPTS[excerpt]
    assert recognised(lines) == names


def test_every_known_error_of_the_core_is_among_them() -> None:
    assert {known.name for known in CORE} == {name for names, _ in EXCERPTS.values() for name in names}


def test_harmless_logs_are_recognised_as_nothing() -> None:
    lines = (LOGS / "harmless.txt").read_text(encoding="utf-8").splitlines()
    assert len(lines) > 30
    assert recognised(lines) == []


def test_the_cores_known_errors_are_registered_as_those_of_any_plugin() -> None:
    groups = {entry_point.group for entry_point in distribution("djsandbox").entry_points}
    assert "djsandbox.known_errors" in groups
    assert len({known.name for known in CORE}) == len(CORE) > 20


@pytest.mark.parametrize("known", CORE, ids=[known.name for known in CORE])
def test_texts_are_short_and_whole_sentences(known: KnownError) -> None:
    for text in (known.explanation, known.remedy):
        assert text.endswith(".") and "\n" not in text
        assert len(text) < 450
