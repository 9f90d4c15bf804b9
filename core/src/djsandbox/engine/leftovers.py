"""Processes of a killed run, which take a moment to end: the next run must not write where they still do."""

from __future__ import annotations

import fcntl
import logging
import os
from pathlib import Path

_logger = logging.getLogger("djsandbox.engine")


def wait_for_leftovers(held: Path) -> None:
    """Return when no process that an earlier run has started holds the file `held` any more."""
    if not held.exists():
        return
    fd = os.open(held, os.O_RDWR)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _logger.warning("waiting for the processes of the run before to end")
        fcntl.flock(fd, fcntl.LOCK_EX)
    except OSError:
        return  # the file system knows no locks
    finally:
        os.close(fd)
