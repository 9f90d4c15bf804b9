"""The processes that speak with W&B's server about a sweep."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from djsandbox import SandboxError

_PROGRAM = Path(__file__).with_name("agent.py")
_LAST_LINES = 5


class AgentProcess:
    """`agent.py`, started for `what`; what it answers is read one by one. It works in `folder`, where its log is, too."""

    def __init__(self, what: str, told: Mapping[str, Any], folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / f"wandb_{name}.log"
        self._answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        with self._log.open("a", encoding="utf-8") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program, with our own interpreter
                [sys.executable, "-P", str(_PROGRAM), what],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
                env={**os.environ, "WANDB_DIR": str(folder.resolve()), "WANDB_CONSOLE": "off"},
                start_new_session=True,  # Ctrl-C is for the sweep, which then lets go of it
            )
        threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True).start()
        self.say(**told)

    def say(self, **fields: Any) -> None:
        """Tell it something; where it is gone, the next `answer` says so."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.write(json.dumps(fields) + "\n")
                self._process.stdin.flush()

    def answer(self, timeout: float) -> dict[str, Any]:
        """What it says next; SandboxError where it fails, or says nothing in time."""
        try:
            found = self._answers.get(timeout=timeout)
        except queue.Empty:
            fix = f"go on with --resume when it can be reached; what the agent printed: {self._log}"
            raise SandboxError(f"W&B gave no trial within {timeout:g} s", fix=fix) from None
        if found is None or "error" in found:
            said = found["error"] if found else " ".join(self._log.read_text("utf-8").splitlines()[-_LAST_LINES:])
            raise SandboxError(f"W&B's sweep cannot go on: {said}", fix=f"what the agent printed: {self._log}")
        return found

    def end(self) -> None:
        """Let it end, and all that it started."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _listen(self, answers: IO[str] | None) -> None:
        if answers is not None:
            with answers:
                for line in answers:
                    self._answers.put(json.loads(line))
        self._answers.put(None)
