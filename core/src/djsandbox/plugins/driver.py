"""Loading the one object that a claim names, through stevedore."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any

from stevedore.driver import DriverManager

from djsandbox.errors import did_you_mean
from djsandbox.plugins.groups import named
from djsandbox.plugins.isolation import isolated

if TYPE_CHECKING:
    from djsandbox.plugins.index import Claim


class _ClaimDriver(DriverManager[Any]):
    """A driver that is given its entry point.

    stevedore's own lookup keeps a cache on disk that is stale for up to 128 s after a package was installed again and that
    forgets which distribution an entry point came from. Handing it ours avoids both, and a second scan.
    """

    def __init__(self, claim: Claim) -> None:
        self._entry_point = claim.entry_point
        super().__init__(namespace=claim.entry_point.group, name=claim.name)

    def list_entry_points(self) -> list[EntryPoint]:
        return [self._entry_point]


def load(claim: Claim) -> Any:
    """The object that `claim` names; imports its module and nothing else.

    Raises PluginError, with the plugin's name and the original error as `__cause__`, whatever goes wrong at the import.
    """
    what = f"{named(claim.group, claim.name)} ({claim.value}, from {claim.distribution} {claim.version})"
    return isolated(
        what, lambda: _ClaimDriver(claim).extensions[0].plugin, remedy=lambda error: _remedy(claim.entry_point, error)
    )


def _remedy(entry_point: EntryPoint, error: BaseException) -> str | None:
    module_name, _, attribute = entry_point.value.partition(":")
    module = sys.modules.get(module_name.strip())
    name = attribute.partition(".")[0].strip()
    if isinstance(error, AttributeError) and module is not None and name and not hasattr(module, name):
        return did_you_mean(name, [known for known in vars(module) if not known.startswith("_")])
    return None
