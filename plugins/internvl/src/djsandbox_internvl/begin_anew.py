"""Runs InternVL's fine-tuning in a folder that holds nothing of an earlier one: `FOLDER -- PROGRAM ARGUMENTS...`.

Its trainer keeps what is there: an old checkpoint with a higher number would make it delete its own, and an old model would
pass for a new one where it fails to write. The program takes the place of this process.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from djsandbox_internvl.trained_models import leftovers


def main(arguments: Sequence[str]) -> int:
    """Remove what an earlier training has left in the folder, and become the program."""
    folder, separator, *argv = arguments
    if separator != "--" or not argv:
        sys.stderr.write("usage: begin_anew FOLDER -- PROGRAM ARGUMENTS...\n")
        return 2
    Path(folder).mkdir(parents=True, exist_ok=True)
    for path in list(leftovers(Path(folder))):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    os.execv(argv[0], argv)  # noqa: S606 - a list, and the program by its path
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
