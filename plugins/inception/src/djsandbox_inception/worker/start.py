"""Runs `evaluate` where djsandbox is not installed: by the path of this file, with the arguments of `evaluate.main`."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

_NAME = "djsandbox_inception_worker"


def main() -> int:
    """Make this folder a package of its own and run what is in it."""
    folder = Path(__file__).resolve().parent
    # Python puts the folder of a script first: its modules must not be found under names of their own.
    sys.path[:] = [place for place in sys.path if Path(place).resolve() != folder]
    spec = importlib.util.spec_from_file_location(_NAME, folder / "__init__.py", submodule_search_locations=[str(folder)])
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} is no package")
    package = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = package
    spec.loader.exec_module(package)
    code: int = importlib.import_module(f"{_NAME}.evaluate").main(sys.argv[1:])
    return code


if __name__ == "__main__":
    sys.exit(main())
