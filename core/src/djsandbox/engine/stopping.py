"""What has to be ended when a run is, and how long that may take."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator

USUAL_GRACE = 10.0
"""Seconds that what nobody has registered may take to clean up."""
MARGIN = 5.0
"""Seconds beyond a grace in which what is killed at its end is seen to be gone."""

_logger = logging.getLogger("djsandbox.engine")


class Stoppables:
    """The process trees of a run, by who can end them; may be used from any thread."""

    def __init__(self) -> None:
        self._found: dict[object, tuple[Callable[[], None], float]] = {}
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def registered(self, stop_at_once: Callable[[], None], grace: float) -> Iterator[None]:
        """While open, `stop_at_once` is called when there is no time left; who is asked in time takes `grace` seconds."""
        me = object()
        with self._lock:
            self._found[me] = (stop_at_once, grace)
        try:
            yield
        finally:
            with self._lock:
                del self._found[me]

    def stop_at_once(self) -> None:
        """Kill all that is registered, without waiting until it is gone."""
        for stop, _ in list(self._found.values()):
            try:
                stop()
            except Exception:
                _logger.warning("processes could not be stopped at once", exc_info=True)

    def patience(self) -> float:
        """Seconds until cleaning up is given up: the longest grace and a little more."""
        return max([USUAL_GRACE, *(grace for _, grace in list(self._found.values()))]) + MARGIN
