"""Starts a module of this folder with the interpreter of an environment that has none of our packages."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    folder = Path(__file__).resolve().parent
    sys.path[0] = str(folder.parent)
    main = importlib.import_module(f"{folder.name}.{sys.argv[1]}").main
    del sys.path[0]
    sys.exit(main(sys.argv[2:]))
