"""Running a plugin's code so that whatever it raises stays its own affair."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from djsandbox.errors import PluginError

T = TypeVar("T")

DOCTOR = "'djsandbox plugins doctor' shows the traceback"


def isolated(what: str, load: Callable[[], T], *, remedy: Callable[[BaseException], str | None] = lambda _: None) -> T:
    """What `load` returns.

    Whatever it raises, SystemExit included, becomes a PluginError that begins with `what` and keeps the original as its
    `__cause__`; only KeyboardInterrupt passes. `remedy` may know a better fix for an error than the general one.
    """
    try:
        return load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise PluginError(f"{what} cannot be loaded: {reason(error)}", fix=remedy(error) or _remedy(error)) from error


def reason(error: BaseException) -> str:
    """`error` in one line, with its type."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _remedy(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"it needs the module '{error.name}', which is not installed here; {DOCTOR}"
    return DOCTOR
