"""What tests of several parts of the core share: environments made without a network, and a look at processes."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store, at a place with a name that shells would stumble over."""
    folder = tmp_path / "it's $HOME;a store"
    monkeypatch.setenv("DJSANDBOX_ENVS", str(folder))
    monkeypatch.delenv("DJSANDBOX_OFFLINE", raising=False)
    return folder


def write_wheel(folder: Path, name: str, version: str = "1.0", *, source: str = "", requires: tuple[str, ...] = ()) -> Path:
    """A pure wheel of one module."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}.py", f"VERSION = {version!r}\n{source}")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """A folder with the wheels of `alpha` 1.0 and 2.0, and of `beta`, which needs alpha."""
    folder = tmp_path / "wheels"
    for version in ("1.0", "2.0"):
        write_wheel(folder, "alpha", version)
    write_wheel(folder, "beta", requires=("alpha",))
    return folder


@pytest.fixture
def from_wheels(wheels: Path) -> tuple[str, ...]:
    """The options with which an installer takes these wheels and nothing else."""
    return ("--no-index", "--find-links", str(wheels))


@pytest.fixture
def process_runs() -> Callable[[int], bool]:
    """Whether a process is there; a zombie that waits for an init process to collect it does not count."""

    def runs(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except (FileNotFoundError, ProcessLookupError):
            return False

    return runs
