"""Everything installed that claims a name in an entry-point group, from one scan and with nothing imported."""

from __future__ import annotations

import importlib.metadata
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import Distribution, EntryPoint, EntryPoints
from typing import Protocol

from djsandbox.plugins.groups import GROUP_PREFIX, full_group, short_group
from djsandbox.plugins.suggestions import ambiguous, unknown

UNKNOWN_VERSION = "unknown"


@dataclass(frozen=True, slots=True)
class Claim:
    """One entry point: a distribution says that `name` in `group` (short, where it is ours) is `value` (`module:Class`)."""

    group: str
    name: str
    value: str
    distribution: str
    version: str
    entry_point: EntryPoint = field(repr=False, compare=False)

    @property
    def exact_type(self) -> str:
        """What to write as `type` so that this claim is meant, whoever else claims the name."""
        return f"{self.distribution}:{self.name}"

    @property
    def is_editable(self) -> bool:
        """Whether the distribution is a link to a source tree, whose code changes under one version."""
        distribution = self.entry_point.dist
        origin = distribution.read_text("direct_url.json") if distribution is not None else None
        return bool(origin and json.loads(origin).get("dir_info", {}).get("editable"))

    def __str__(self) -> str:
        return f"{self.group} '{self.name}' of {self.distribution} {self.version}"


class Scan(Protocol):
    """What `importlib.metadata.entry_points()` returns, whatever the Python version."""

    @property
    def groups(self) -> set[str]:
        """All groups that have an entry point."""

    def select(self, *, group: str) -> EntryPoints:
        """The entry points of `group`."""


def normalised(distribution: str) -> str:
    """The name by which package indexes compare distributions (PEP 503)."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


class PluginIndex:
    """Who claims which name. Groups may be given short (`data_executors`) or in full (`djsandbox.data_executors`).

    Name and version are read only of distributions whose claims are asked for: reading those of everything installed costs
    more than all the rest.
    """

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        self._groups = frozenset(scan.groups)
        self._entry_points: dict[str, tuple[EntryPoint, ...]] = {}
        self._identities: dict[int, tuple[str, str]] = {}

    def groups(self) -> tuple[str, ...]:
        """Short names of the groups of ours, known to the core or not, in which something is installed."""
        return tuple(sorted(short_group(group) for group in self._groups if group.startswith(GROUP_PREFIX)))

    def names(self, group: str) -> tuple[str, ...]:
        """The names claimed in `group`, sorted, each once."""
        return tuple(sorted({entry_point.name for entry_point in self._of(group)}))

    def claims(self, group: str) -> tuple[Claim, ...]:
        """All claims in `group`, by name and distribution."""
        return self._claims(self._of(group))

    def claimants(self, group: str, name: str) -> tuple[Claim, ...]:
        """All claims on `name` in `group`, by distribution: none, one, or more than one."""
        return self._claims(tuple(entry_point for entry_point in self._of(group) if entry_point.name == name))

    def find(self, group: str, name: str) -> Claim:
        """The one claim on `name` in `group`.

        Raises PluginError where there is none (with the nearest spelling, or the package to install) and where there are two.
        """
        found = self.claimants(group, name)
        if not found:
            raise unknown(group, name, self)
        if len(found) > 1:
            raise ambiguous(found)
        return found[0]

    def distributions(self) -> Mapping[str, tuple[str, tuple[Claim, ...]]]:
        """Distribution -> its version and claims, of all that claim a name in any group of ours."""
        found: dict[str, tuple[str, list[Claim]]] = {}
        for group in self.groups():
            for claim in self.claims(group):
                found.setdefault(claim.distribution, (claim.version, []))[1].append(claim)
        return {name: (version, tuple(claims)) for name, (version, claims) in sorted(found.items())}

    def _of(self, group: str) -> tuple[EntryPoint, ...]:
        full = full_group(group)
        if full not in self._groups and group in self._groups:
            full = group  # a third party's own group without a dot
        if full not in self._entry_points:
            self._entry_points[full] = tuple(self._scan.select(group=full))
        return self._entry_points[full]

    def _claims(self, entry_points: tuple[EntryPoint, ...]) -> tuple[Claim, ...]:
        claims = {self._claim(entry_point) for entry_point in entry_points}
        return tuple(sorted(claims, key=lambda claim: (claim.name, normalised(claim.distribution), claim.value)))

    def _claim(self, entry_point: EntryPoint) -> Claim:
        distribution, version = self._identity(entry_point)
        return Claim(short_group(entry_point.group), entry_point.name, entry_point.value, distribution, version, entry_point)

    def _identity(self, entry_point: EntryPoint) -> tuple[str, str]:
        distribution: Distribution | None = entry_point.dist
        top_module = entry_point.value.partition(":")[0].partition(".")[0].strip()
        if distribution is None:
            return top_module, UNKNOWN_VERSION
        if id(distribution) not in self._identities:
            metadata = distribution.metadata  # parsed at every access
            name = (metadata.get_all("Name") or [top_module])[0]
            version = (metadata.get_all("Version") or [UNKNOWN_VERSION])[0]
            self._identities[id(distribution)] = (name, version)
        return self._identities[id(distribution)]


@lru_cache(maxsize=1)
def plugin_index() -> PluginIndex:
    """The index of this process, scanned once; `plugin_index.cache_clear()` forgets it."""
    return PluginIndex(importlib.metadata.entry_points())
