"""The packages of the workspace as tests see them: their metadata, their wheels, fresh environments made from those."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
_DROPPED_VARIABLES = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "UV_PROJECT_ENVIRONMENT", "UV_FROZEN", "UV_LOCKED")


@dataclass(frozen=True)
class Package:
    """One distribution of the workspace."""

    folder: Path
    pyproject: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.pyproject["project"]["name"])

    @property
    def version(self) -> str:
        return str(self.pyproject["project"]["version"])

    @property
    def module(self) -> str:
        return self.name.replace("-", "_")

    @property
    def requirements(self) -> list[str]:
        return list(self.pyproject["project"].get("dependencies", []))

    @property
    def entry_points(self) -> dict[str, dict[str, str]]:
        return dict(self.pyproject["project"].get("entry-points", {}))


@dataclass(frozen=True)
class Environment:
    """A virtual environment of its own, and a folder to run commands in."""

    folder: Path

    def run(self, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        program, *arguments = command
        return subprocess.run(
            [str(self.folder / "bin" / program), *arguments],
            cwd=cwd or self.folder,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )


def clean_environment() -> dict[str, str]:
    """The variables of this process less those that point into its environment; pins of the checkout are out of sight, too."""
    kept = {name: value for name, value in os.environ.items() if name not in _DROPPED_VARIABLES}
    return {**kept, "UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never", "COLUMNS": "200"}


def workspace_packages() -> list[Package]:
    folders = [ROOT / "core", *sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml"))]
    return [Package(folder, tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))) for folder in folders]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `package` runs for every package of the workspace, one that takes `plugin` for every plugin."""
    packages = workspace_packages()
    for argument, chosen in (("package", packages), ("plugin", packages[1:])):
        if argument in metafunc.fixturenames:
            metafunc.parametrize(argument, chosen, ids=[package.name for package in chosen], scope="session")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def packages() -> list[Package]:
    return workspace_packages()


@pytest.fixture(scope="session")
def workspace(root: Path) -> Mapping[str, Any]:
    """The root pyproject.toml."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def uv(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., None]:
    """Runs uv outside of the checkout, so that only what a command names binds it."""
    beside_python = Path(sys.executable).parent / "uv"
    program = str(beside_python) if beside_python.exists() else shutil.which("uv")
    assert program, "uv is not installed; it is one of the tools in requirements-dev.txt"
    outside = tmp_path_factory.mktemp("outside")

    def run(*arguments: str) -> None:
        done = subprocess.run(
            [program, *arguments], cwd=outside, env=clean_environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    return run


@pytest.fixture(scope="session")
def wheels(
    root: Path, packages: Sequence[Package], uv: Callable[..., None], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Distribution name -> wheel, built by way of the source distribution from the files that git has or would add."""
    made = tmp_path_factory.mktemp("wheels")
    for package in packages:
        uv("build", "--quiet", "--out-dir", str(made), str(_tracked_copy(root, package, tmp_path_factory.mktemp("source"))))
    return {path.name.split("-")[0].replace("_", "-"): path for path in made.glob("*.whl")}


def _tracked_copy(root: Path, package: Package, target: Path) -> Path:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", str(package.folder)],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        source = root / name
        if source.exists():
            copied = target / source.relative_to(package.folder)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copied)
    return target


@pytest.fixture(scope="session")
def environment(
    root: Path, wheels: Mapping[str, Path], uv: Callable[..., None], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Environment]:
    """Makes an environment that holds the core's wheel and those of the named plugins, at the pinned versions or not."""
    made: dict[tuple[tuple[str, ...], bool, str], Environment] = {}

    def make(*plugins: str, pinned: bool = True, python: str = sys.executable) -> Environment:
        asked = (plugins, pinned, python)
        if asked not in made:
            folder = tmp_path_factory.mktemp("environment")
            uv("venv", "--quiet", "--clear", "--python", python, str(folder))
            pins = ["--constraints", str(root / "constraints.txt")] if pinned else []
            chosen = [str(wheels[name]) for name in ("djsandbox", *plugins)]
            uv("pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), *pins, *chosen)
            made[asked] = Environment(folder)
        return made[asked]

    return make
