"""Whether what a plugin offers is a class that its group can use."""

from __future__ import annotations

import inspect

from djsandbox.errors import PluginError
from djsandbox.plugins.groups import FACTORIES


def class_problem(found: object, base: type, what: str) -> PluginError | None:
    """The error for `found` (which messages call `what`) unless it is a concrete subclass of `base`."""
    if not inspect.isclass(found):
        return PluginError(
            f"{what} is {_article(type(found).__name__)}, not a class", fix=f"name a subclass of {base.__name__}"
        )
    if not issubclass(found, base):
        return PluginError(
            f"{what}: {found.__qualname__} is {_kind(found)}, but {_article(base.__name__)} is needed here",
            fix=_home(found, base),
        )
    if inspect.isabstract(found):
        missing = ", ".join(sorted(getattr(found, "__abstractmethods__", ())))
        return PluginError(f"{what}: {found.__qualname__} does not implement {missing}", fix=f"see {base.__name__}")
    return None


def _kind(found: type) -> str:
    """The djsandbox contract that `found` fulfils, else the bases it has."""
    ours = [parent for parent in found.__mro__[1:] if parent.__module__.partition(".")[0] == "djsandbox"]
    if ours:
        return _article(ours[0].__name__)
    parents = [parent.__name__ for parent in found.__bases__ if parent is not object]
    return f"a class derived from {', '.join(parents)}" if parents else "a class of its own"


def _home(found: type, base: type) -> str:
    fitting = [group for group, factory in FACTORIES.items() if issubclass(found, factory.base_class())]
    if fitting:
        return f"it fits {', '.join(fitting)}"
    return f"derive it from {base.__module__}.{base.__qualname__}"


def _article(noun: str) -> str:
    return f"an {noun}" if noun[:1].lower() in "aeiou" else f"a {noun}"
