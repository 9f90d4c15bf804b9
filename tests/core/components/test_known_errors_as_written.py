"""Known errors as the author of a plugin writes them."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from djsandbox import KnownError


def known_error(**changes: Any) -> KnownError:
    texts = {"name": "it is a teapot", "pattern": "(?i)teapot", "explanation": "No coffee.", "remedy": "Make tea."}
    return KnownError(**{**texts, **changes})


def test_a_known_error_is_frozen_and_equal_to_one_of_the_same_texts() -> None:
    assert {known_error(), known_error()} == {known_error()}
    with pytest.raises(dataclasses.FrozenInstanceError):
        known_error().remedy = "Make coffee."  # type: ignore[misc]


def test_what_is_no_regular_expression_is_refused_with_the_reason_when_it_is_written() -> None:
    with pytest.raises(ValueError, match=r"known error 'it is a teapot': '\(tea' is no regular expression: missing \)"):
        known_error(pattern="(tea")


@pytest.mark.parametrize("pattern", ["x*", "|teapot", "^", "(?:tea)?"])
def test_a_pattern_that_would_match_every_line_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="matches an empty line, and so every line"):
        known_error(pattern=pattern)


@pytest.mark.parametrize("field", ["name", "pattern", "explanation", "remedy"])
def test_texts_that_are_missing_or_none_are_refused_by_name(field: str) -> None:
    with pytest.raises(ValueError, match=f"its {field} is empty"):
        known_error(**{field: " "})
    with pytest.raises(TypeError, match=f"the {field} of a known error is a text, not int"):
        known_error(**{field: 3})
