"""What messages call a class of a component: as a config names it."""

from __future__ import annotations

import os
import sys

LOCAL_PREFIX = "djsandbox_local_"
"""How the names of the packages begin that stand for folders with components which belong to no package."""


def named_class(component_class: type) -> str:
    """How a config names `component_class`: `./file.py:Class` where it comes from a file, else `module.Class`."""
    module = component_class.__module__
    file = getattr(sys.modules.get(module), "__file__", None)
    if not module.startswith(LOCAL_PREFIX) or file is None:
        return f"{module}.{component_class.__qualname__}"
    path = os.path.relpath(file)
    return f"{path if path.startswith(os.pardir) else os.path.join(os.curdir, path)}:{component_class.__qualname__}"
