"""`ENV_ROUTER`: from the name of a manager to the class of its environments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from types import new_class

from djsandbox.envs.base import Env
from djsandbox.envs.conda import CondaEnv
from djsandbox.envs.existing import ExistingEnv
from djsandbox.envs.virtual import VirtualEnv
from djsandbox.errors import ConfigError, PluginError, did_you_mean
from djsandbox.plugins.index import Claim, plugin_index
from djsandbox.plugins.suggestions import ambiguous

GROUP = "env_managers"
_OURS: dict[str, type[Env]] = {name: found for found in (CondaEnv, VirtualEnv, ExistingEnv) for name in found.managers}


class _Router(Mapping[str, type[Env]]):
    """Ours, and those that plugins name in the group `djsandbox.env_managers`, which are imported when they are used."""

    def __getitem__(self, manager: str) -> type[Env]:
        """The class; KeyError where nobody has the manager, PluginError where its plugin is broken."""
        claims = plugin_index().claimants(GROUP, manager)
        if len(claims) > 1:
            raise ambiguous(claims)
        if manager in _OURS:
            return _bound(_OURS[manager], manager)
        if not claims:
            raise KeyError(manager)
        return _bound(_third_party(claims[0]), manager)

    def __iter__(self) -> Iterator[str]:
        yield from dict.fromkeys((*_OURS, *plugin_index().names(GROUP)))

    def __contains__(self, manager: object) -> bool:
        return manager in _OURS or manager in plugin_index().names(GROUP)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"ENV_ROUTER({', '.join(self)})"


@cache
def _bound(found: type[Env], manager: str) -> type[Env]:
    """`found` itself, or a subclass that only differs in the manager it has when its constructor is given none."""
    if found.managers[0] == manager:
        return found
    others = (name for name in found.managers if name != manager)
    own = {"managers": (manager, *others), "__module__": found.__module__, "__qualname__": found.__qualname__}
    return new_class(found.__name__, (found,), exec_body=lambda body: body.update(own, __doc__=found.__doc__))


def _third_party(claim: Claim) -> type[Env]:
    from djsandbox.plugins.driver import load  # noqa: PLC0415 - imports stevedore

    return manager_of(claim, load(claim))


def manager_of(claim: Claim, found: object) -> type[Env]:
    """What `claim` names (`found`) as a manager; PluginError where it is something else."""
    if not (isinstance(found, type) and issubclass(found, Env)):
        raise PluginError(f"{claim} is no subclass of Env", fix="class MyEnv(djsandbox.Env): ...")
    if claim.name not in found.managers:
        raise PluginError(f"{claim}: its class does not name the manager", fix=f'managers = ("{claim.name}",)')
    return found


ENV_ROUTER: Mapping[str, type[Env]] = _Router()
"""The class of environments for each manager, by its name, which is the default of its `env_manager`."""


def env_class(manager: str) -> type[Env]:
    """As `ENV_ROUTER[manager]`, but ConfigError with the nearest name where nobody has it."""
    try:
        return ENV_ROUTER[manager]
    except KeyError:
        raise ConfigError(f"unknown env_manager '{manager}'", fix=did_you_mean(manager, ENV_ROUTER)) from None
