"""What Trinity's loggers print, and how Ray hands it on."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from djsandbox_trinity.testing.event_files import EventFile

_CYAN, _PLAIN = "\x1b[36m", "\x1b[0m"


def metrics_text(metrics: Mapping[str, float | str]) -> str:
    """A mapping of metrics, as the monitor formats it: like a Python literal, but for `nan`."""
    shown = (f"{key!r}: " + (f"{value:.6g}" if isinstance(value, float) else repr(value)) for key, value in metrics.items())
    return "{" + ", ".join(shown) + "}"


class Logger:
    """The logger of an actor, or of the launcher where `actor` is empty; actors write a file of their own, too."""

    def __init__(self, actor: str, pid: int, log_file: Path | None = None, ip: str = "") -> None:
        place = f"pid={pid}" + (f", ip={ip}" if ip else "")
        is_plain = os.environ.get("RAY_COLOR_PREFIX", "1") == "0"
        prefix = f"({actor} {place})"
        self._prefix = "" if not actor else f"{prefix} " if is_plain else f"{_CYAN}{prefix}{_PLAIN} "
        self._log_file = log_file
        if log_file is not None:
            log_file.parent.mkdir(parents=True, exist_ok=True)

    def log(self, level: str, where: str, message: str) -> None:
        """Print a message, each line of it behind what the first begins with."""
        head = f"{level} {time.strftime('%m-%d %H:%M:%S')} [{where}] "
        text = head + message.replace("\n", f"\r\n{head}")
        for line in text.split("\n"):
            sys.stdout.write(f"{self._prefix}{line}\n")
        sys.stdout.flush()
        if self._log_file is not None:
            with self._log_file.open("a", encoding="utf-8", newline="") as file:
                file.write(text + "\n")

    def info(self, where: str, message: str) -> None:
        """Print what is normal."""
        self.log("INFO", where, message)

    def error(self, where: str, message: str) -> None:
        """Print what is not."""
        self.log("ERROR", where, message)


class Monitor:
    """The monitor of an actor: prints the metrics of a step, and writes them into event files in `folder`, where it has one."""

    def __init__(self, logger: Logger, folder: Path | None) -> None:
        self._console = logger
        self._events = EventFile(folder) if folder is not None else None

    def log(self, step: int, metrics: Mapping[str, float | str]) -> None:
        """Take the metrics of a step."""
        if self._events is not None:
            self._events.write(step, {key: value for key, value in metrics.items() if not isinstance(value, str)})
        self._console.info("monitor.py:113", f"Step {step}: {metrics_text(metrics)}")


def repeated(actor: str, pid: int, text: str) -> None:
    """Print the same line of two workers: as one, where Ray is not told to show all."""
    if os.environ.get("RAY_DEDUP_LOGS", "1") == "0":
        for number in (0, 1):
            sys.stdout.write(f"({actor} pid={pid + number}, ip=10.0.0.7) {text}\n")
    else:
        sys.stdout.write(f"({actor} pid={pid}, ip=10.0.0.7) {text} [repeated 2x across cluster]\n")
    sys.stdout.flush()
