"""The versions of third-party distributions stand in one list, written twice: for uv and for pip."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ONLY_AS_SOURCE = ("emoji", "wget")
"""Pinned distributions, all in pure Python, that come without wheels."""

PYTHONS = ("3.11", "3.12", "3.13")

REMEDY = "run: python tools/make_constraints.py"


@pytest.fixture(scope="module")
def pins(root: Path) -> list[Requirement]:
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


@pytest.fixture(scope="module")
def own(packages: Sequence[Any]) -> set[str]:
    return {package.name for package in packages}


@pytest.fixture(scope="module")
def declared(packages: Sequence[Any], workspace: Mapping[str, Any], own: set[str]) -> list[Requirement]:
    """What the pyproject files of the workspace ask for, optional parts and tools included."""
    asked = list(workspace["dependency-groups"]["dev"])
    for package in packages:
        asked += package.requirements
        for extra in package.pyproject["project"].get("optional-dependencies", {}).values():
            asked += extra
    return [requirement for text in asked if (requirement := Requirement(text)).name not in own]


def names(requirements: Sequence[Requirement]) -> set[str]:
    return {canonicalize_name(requirement.name) for requirement in requirements}


def test_uv_and_pip_are_given_the_same_pins(root: Path, workspace: Mapping[str, Any], pins: list[Requirement]) -> None:
    assert [str(pin) for pin in pins] == [
        str(Requirement(pin)) for pin in workspace["tool"]["uv"]["constraint-dependencies"]
    ], REMEDY


def test_every_pin_is_one_exact_version(pins: list[Requirement]) -> None:
    assert pins
    for pin in pins:
        (specifier,) = pin.specifier
        assert specifier.operator == "==" and not specifier.version.endswith("*"), pin


def test_pins_name_no_host_and_no_hash(root: Path) -> None:
    text = (root / "constraints.txt").read_text(encoding="utf-8")
    assert not re.search(r"://|--hash|sha256|index-url|find-links", text)


def test_every_declared_dependency_is_pinned_within_its_range(declared: list[Requirement], pins: list[Requirement]) -> None:
    missing = names(declared) - names(pins)
    assert not missing, f"not pinned: {sorted(missing)}; {REMEDY}"
    for requirement in declared:
        for pin in pins:
            if canonicalize_name(pin.name) == canonicalize_name(requirement.name) and _meet(requirement, pin):
                (exact,) = pin.specifier
                inside = requirement.specifier.contains(exact.version, prereleases=True)
                assert inside, f"{pin} is outside of {requirement}; {REMEDY}"


def _meet(requirement: Requirement, pin: Requirement) -> bool:
    """Whether both hold on one of the Python versions for which there may be different pins."""
    versions = ({"python_version": one, "python_full_version": f"{one}.0"} for one in (*PYTHONS, "3.14"))
    return any(all(one.marker is None or one.marker.evaluate(version) for one in (requirement, pin)) for version in versions)


def test_whatever_the_declared_dependencies_bring_along_is_pinned(
    declared: list[Requirement], pins: list[Requirement], own: set[str]
) -> None:
    brought = set(_closure(declared)) - own
    assert len(brought) > len(names(declared))
    assert not brought - names(pins), REMEDY


@pytest.mark.slow
def test_writing_the_pins_again_changes_none(root: Path, packages: Sequence[Any], tmp_path: Path) -> None:
    for file in (root / "pyproject.toml", *(package.folder / "pyproject.toml" for package in packages)):
        copied = tmp_path / file.relative_to(root)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copied)
    script = shutil.copytree(root / "tools", tmp_path / "tools") / "make_constraints.py"
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "constraints.txt").read_text() == (root / "constraints.txt").read_text(), REMEDY


@pytest.mark.slow
@pytest.mark.parametrize("version", PYTHONS)
def test_the_pins_can_be_installed_on_python(
    version: str, pins: list[Requirement], uv: Callable[..., None], tmp_path: Path
) -> None:
    asked = tmp_path / "all.in"
    asked.write_text("".join(f"{pin}\n" for pin in pins))
    sources = [option for name in ONLY_AS_SOURCE for option in ("--no-binary", name)]
    uv("pip", "compile", "--quiet", "--python-version", version, "--only-binary", ":all:", *sources,
       "--output-file", str(tmp_path / "all.txt"), str(asked))  # fmt: skip
    assert len((tmp_path / "all.txt").read_text().splitlines()) >= len(names(pins))


def test_nothing_pinned_is_a_deep_learning_framework(pins: list[Requirement]) -> None:
    assert not names(pins) & {"torch", "torchvision", "torchaudio", "tensorflow", "jax", "triton"}
    assert not [name for name in names(pins) if name.startswith("nvidia-")]


def test_the_lock_file_with_its_hosts_stays_out_of_git(root: Path) -> None:
    ignored = subprocess.run(["git", "check-ignore", "-q", "uv.lock"], cwd=root, check=False)
    assert ignored.returncode == 0


def _closure(requirements: Sequence[Requirement]) -> Iterator[str]:
    """Names of the requirements and of all that the installed distributions require in turn, on this platform."""
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(canonicalize_name(item.name), frozenset(item.extras)) for item in requirements if _applies(item, frozenset())]
    while waiting:
        name, extras = asked = waiting.pop()
        if asked in seen:
            continue
        seen.add(asked)
        yield name
        for text in (requires(name) or []) if _is_installed(name) else []:
            item = Requirement(text)
            if _applies(item, extras):
                waiting.append((canonicalize_name(item.name), frozenset(item.extras)))


def _applies(requirement: Requirement, extras: frozenset[str]) -> bool:
    return requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras or {""})


def _is_installed(name: str) -> bool:
    try:
        requires(name)
    except PackageNotFoundError:
        return False
    return True
