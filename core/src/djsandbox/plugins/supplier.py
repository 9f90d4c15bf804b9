"""Which plugin had a hand in a component, told exactly enough that another state of it is not taken for the same."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Self

from djsandbox.plugins.sources import source_of

if TYPE_CHECKING:
    from djsandbox.components.base import Component
    from djsandbox.plugins.index import Claim

_CORE = __name__.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Supplier:
    """The plugin that supplied a component or wrapped the making of it; of several, their fields joined with `+`.

    `distribution` and `version` are None for a plugin registered by hand. `source_digest` is the SHA-256 of its code where that
    may change while the version does not (registered by hand, editable) and of the supplied class where another module
    than the plugin's brings it.
    """

    name: str
    distribution: str | None
    version: str | None
    source_digest: str | None

    @classmethod
    def of(cls, name: str, plugin: object, claim: Claim | None) -> Self:
        """The supplier that `plugin`, registered as `name`, is; `claim` is the entry point it was loaded from, if any."""
        if claim is None:
            return cls(name, None, None, _code_digest(plugin))
        return cls(name, claim.distribution, claim.version, _code_digest(plugin) if claim.is_editable else None)

    @classmethod
    def joined(cls, suppliers: Sequence[Self], further: Iterable[str | None] = ()) -> Self:
        """One supplier that stands for all; `further` are digests of code that is not the plugins' own."""
        digests = [*(supplier.source_digest for supplier in suppliers), *further]
        return cls(
            "+".join(supplier.name for supplier in suppliers),
            _plus([supplier.distribution for supplier in suppliers]),
            _plus([supplier.version for supplier in suppliers]),
            digests[0] if len(digests) == 1 else _digest_of(digests),
        )

    def as_data(self) -> list[str | None]:
        """All fields, as plain data."""
        return [self.name, self.distribution, self.version, self.source_digest]


def class_digest(component: Component, selected: type[Component], plugins: Sequence[object]) -> str | None:
    """Digest of the source that the class of `component` lies in, unless the job's type or a plugin's module stands for it."""
    module = sys.modules.get(type(component).__module__)
    known = {_module_of(plugin) for plugin in plugins}
    if type(component) is selected or module is None or module in known or module.__name__.partition(".")[0] == _CORE:
        return None
    return source_of(module)[1]


def _module_of(plugin: object) -> ModuleType | None:
    return plugin if isinstance(plugin, ModuleType) else sys.modules.get(type(plugin).__module__)


def _code_digest(plugin: object) -> str | None:
    module = _module_of(plugin)
    digest = source_of(module)[1] if module is not None else None
    if digest is not None or isinstance(plugin, ModuleType):
        return digest
    try:
        return hashlib.sha256(inspect.getsource(type(plugin)).encode()).hexdigest()  # a notebook's cell
    except (OSError, TypeError):
        return None


def _plus(values: Sequence[str | None]) -> str | None:
    return "+".join(value or "" for value in values) if any(values) else None


def _digest_of(digests: Sequence[str | None]) -> str | None:
    if not any(digests):
        return None
    return hashlib.sha256("\n".join(digest or "" for digest in digests).encode()).hexdigest()
