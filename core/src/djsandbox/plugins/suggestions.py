"""The errors about names that cannot be found or told apart, each with what to do next."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from djsandbox.errors import PluginError, nearest
from djsandbox.plugins.groups import named, short_group

if TYPE_CHECKING:
    from djsandbox.plugins.catalogue import KnownType
    from djsandbox.plugins.index import Claim, PluginIndex

DEFAULT = "default"


def unknown(group: str, name: str, index: PluginIndex) -> PluginError:
    """The error for a name that nothing installed claims in `group`."""
    from djsandbox.plugins.catalogue import known_types  # noqa: PLC0415 - read only when something is missing

    known = known_types(group)
    if name in known:
        return _not_here(group, known[name])
    installed = index.names(group)
    guess = nearest(name, {*installed, *known})
    if guess is not None:
        remedy = f"did you mean '{guess}'?"
        if guess not in installed:
            remedy += f" It comes with {known[guess].package}: {_get(known[guess].package)}"
        return PluginError(f"unknown {named(group, name)}", fix=remedy)
    return PluginError(f"unknown {named(group, name)}", fix=_elsewhere(group, name, index) or _all_of(group, index))


def no_default(group: str, index: PluginIndex) -> PluginError:
    """The error for a job that names no type where no installed plugin is the default of `group`."""
    from djsandbox.plugins.catalogue import known_types  # noqa: PLC0415 - read only when something is missing

    short = short_group(group)
    message = f"no 'type' is given, and no installed plugin is the default of {short}"
    known = known_types(group).get(DEFAULT)
    if known is None:
        return PluginError(message, fix=f"set 'type' in the job. {_all_of(group, index)}")
    version = _installed_version(known.package)
    state = f"it comes with {known.package}" if version is None else f"{known.package} {version} is installed but lacks it"
    return PluginError(f"{message}; {state}", fix=_get(known.package))


def ambiguous(claims: Sequence[Claim]) -> PluginError:
    """The error for a name that several installed distributions (or one of them, twice) claim."""
    group, name = claims[0].group, claims[0].name
    who = " and ".join(f"{claim.distribution} {claim.version} ({claim.value})" for claim in claims)
    exact = sorted({claim.exact_type for claim in claims})
    if len(exact) < len(claims):
        choices = [claim.value for claim in claims]
    elif name == DEFAULT:
        return PluginError(f"two defaults of {group}: {who}", fix=f"say which in the job: {_types(exact)}")
    else:
        choices = exact
    return PluginError(f"{named(group, name)} is claimed by {who}", fix=f"say which one is meant: {_types(choices)}")


def _types(choices: Sequence[str]) -> str:
    return " or ".join(f'type: "{choice}"' for choice in choices)


def _not_here(group: str, known: KnownType) -> PluginError:
    version = _installed_version(known.package)
    state = "which is not installed" if version is None else f"but the installed version {version} lacks it"
    return PluginError(f"{named(group, known.type)} comes with {known.package}, {state}", fix=_get(known.package))


def _elsewhere(group: str, name: str, index: PluginIndex) -> str | None:
    others = [other for other in index.groups() if other != short_group(group) and name in index.names(other)]
    return f"'{name}' is a name of {', '.join(others)}" if others else None


def _all_of(group: str, index: PluginIndex) -> str:
    from djsandbox.plugins.catalogue import known_types  # noqa: PLC0415 - read only when something is missing

    installed = [name for name in index.names(group) if name != DEFAULT]
    if installed:
        return f"installed: {', '.join(installed)}"
    packages: dict[str, list[str]] = {}
    for known in known_types(group).values():
        if _installed_version(known.package) is None:
            packages.setdefault(known.package, []).append(known.type)
    if not packages:
        return "no installed plugin has any of this group"
    offers = "; ".join(f"{package} brings {', '.join(types)}" for package, types in packages.items())
    return f"no installed plugin has any of this group; {offers}"


def _installed_version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _get(package: str) -> str:
    """The command that brings a type of `package` which is not there."""
    return f"pip install {package}" if _installed_version(package) is None else f"pip install --upgrade {package}"
