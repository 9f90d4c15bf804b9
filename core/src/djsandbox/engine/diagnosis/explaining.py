"""Saying what is known of an error, where it is reported."""

from __future__ import annotations

import logging
from collections.abc import Collection

from djsandbox.components.known_errors import KnownError
from djsandbox.engine.diagnosis.installed import installed
from djsandbox.engine.diagnosis.searching import Hit, search
from djsandbox.errors import SandboxError
from djsandbox.plugins.isolation import reason
from djsandbox.redact import hide, redact

_BEFORE = 100  # characters of a long line that are shown before what was recognised
_SHOWN = 300
_logger = logging.getLogger("djsandbox.plugins")


def explain(error: SandboxError, secrets: Collection[str] = ()) -> None:
    """Put the known errors that the evidence of `error` shows before its remedy; the evidence is used up by this.

    `secrets` are hidden in the lines that are quoted. Whatever goes wrong here is a warning: what counts is `error`.
    """
    evidence, error.evidence = error.evidence, ()
    if not evidence:
        return
    try:
        claims = installed()
        known = list(claims)
        searched = search([one.pattern for one in known], evidence)
        for number in searched.slow:
            slow, claim = known[number], claims[known[number]]
            _logger.warning("known error '%s' (%s): its pattern takes too long and was given up", slow.name, claim)
        if not searched.is_complete:
            _logger.warning("not all known errors were looked for: it took too long")
        whose = len(evidence) > 1
        error.advise([_told(known[hit.pattern], hit, secrets, whose=whose) for hit in searched.hits])
    except Exception as problem:
        _logger.warning("known errors could not be looked for: %s", reason(problem), exc_info=problem)


def _told(known: KnownError, hit: Hit, secrets: Collection[str], *, whose: bool) -> str:
    source = f" ({hit.evidence.whose})" if whose and hit.evidence.whose else ""
    lines = [f"known error{source}: {known.name}", _quoted(hit, secrets)]
    lines += [f"why: {known.explanation}", f"what to do: {known.remedy}"]
    return "\n        ".join(line.replace("\n", "\n        ") for line in lines)


def _quoted(hit: Hit, secrets: Collection[str]) -> str:
    """The line, without secrets and without what would disturb a terminal, cut around what was recognised."""
    line, before = (str(redact(hide(text, secrets))) for text in (hit.line, hit.line[: hit.begin]))
    begin = max(0, len(before) - _BEFORE)
    shown = "".join(mark if mark.isprintable() else " " for mark in line[begin : begin + _SHOWN]).strip()
    return f"{'... ' if begin else ''}{shown}{' ...' if begin + _SHOWN < len(line) else ''}"
