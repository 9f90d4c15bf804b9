"""The known errors that plugins bring, imported only when something has failed."""

from __future__ import annotations

import logging

from djsandbox.components.known_errors import KnownError
from djsandbox.errors import PluginError
from djsandbox.plugins.driver import load
from djsandbox.plugins.index import Claim, plugin_index

GROUP = "known_errors"
_CORE = "djsandbox"
_logger = logging.getLogger("djsandbox.plugins")


def installed() -> dict[KnownError, Claim]:
    """All of them, each once, with who brings it: ours first. A plugin that fails is a warning."""
    found: dict[KnownError, Claim] = {}
    for claim in sorted(plugin_index().claims(GROUP), key=lambda claim: claim.distribution != _CORE):
        try:
            known_errors = known_errors_of(claim, load(claim))
        except PluginError as error:
            _logger.warning("%s", error)
            continue
        for known in known_errors:
            found.setdefault(known, claim)
    return found


def known_errors_of(claim: Claim, found: object) -> tuple[KnownError, ...]:
    """What `claim` names (`found`) as known errors; PluginError where it is something else."""
    several = found if isinstance(found, (list, tuple)) else [found]
    wrong = [one for one in several if not isinstance(one, KnownError)]
    if wrong or not several:
        what = f"holds a value of type '{type(wrong[0]).__name__}'" if wrong else "is empty"
        raise PluginError(
            f"{claim} {what}, not known errors", fix='JAVA = KnownError("java is missing", ...), or a tuple of them'
        )
    return tuple(several)
