"""Calling into components while planning: what they raise becomes a message that names them."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TypeVar

from djsandbox.components.naming import named_class
from djsandbox.errors import PluginError, SandboxError

_Result = TypeVar("_Result")


def asked(component_class: type, what: str, call: Callable[[], _Result]) -> _Result:
    """The result of `call`, which is `what` of a component; PluginError where it raises anything but our own errors."""
    try:
        return call()
    except (SandboxError, KeyboardInterrupt):
        raise
    except BaseException as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        raise PluginError(
            f"the component {named_class(component_class)} failed in {what}: {type(error).__name__}: {error}",
            fix=f"mend the component; it was raised in {place.filename}, line {place.lineno}",
        ) from error
