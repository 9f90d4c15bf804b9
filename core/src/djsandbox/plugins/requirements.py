"""What a plugin's distribution says it needs, compared with what is installed."""

from __future__ import annotations

import importlib.metadata
from importlib.metadata import EntryPoint

from packaging.requirements import InvalidRequirement, Requirement

from djsandbox.plugins.index import normalised

CORE = "djsandbox"


def unmet_requirements(entry_point: EntryPoint) -> dict[str, str]:
    """Distribution -> what is wrong with it, of all that the entry point's distribution needs here (extras left out)."""
    distribution = entry_point.dist
    lines = distribution.requires if distribution is not None else None
    found = {}
    for line in lines or ():
        try:
            requirement = Requirement(line)
        except InvalidRequirement as error:
            found[line] = f"the requirement '{line}' cannot be read: {error}"
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            problem = _unmet(requirement)
            if problem is not None:
                found[normalised(requirement.name)] = problem
    return found


def _unmet(requirement: Requirement) -> str | None:
    wanted = f"{requirement.name}{requirement.specifier}"
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return f"needs {wanted}, which is not installed"
    if requirement.specifier.contains(version, prereleases=True):
        return None
    return f"needs {wanted}, but {requirement.name} {version} is installed"
