"""What every package of the workspace says of itself, and what the workspace says of its packages."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HEAVY = {"torch", "torchvision", "torchaudio", "tensorflow", "jax", "transformers", "modelscope", "vllm"}
_RELEASE = re.compile(r"^## \[(?P<version>[^\]]+)\](?: - (?P<day>\d{4}-\d\d-\d\d))?$", re.MULTILINE)


def test_every_plugin_depends_on_the_core_of_its_own_minor_version(plugin: Any) -> None:
    assert "djsandbox>=0.1,<0.2" in plugin.requirements


def test_the_core_depends_on_no_plugin(packages: Sequence[Any]) -> None:
    core, *plugins = packages
    required = {canonicalize_name(Requirement(text).name) for text in core.requirements}
    assert not required & {plugin.name for plugin in plugins}


def test_no_package_lists_a_deep_learning_framework(package: Any) -> None:
    required = {canonicalize_name(Requirement(text).name) for text in package.requirements}
    assert not required & HEAVY


def test_every_dependency_of_a_package_has_a_lower_bound(package: Any) -> None:
    for text in package.requirements:
        operators = {specifier.operator for specifier in Requirement(text).specifier}
        assert operators & {">=", "==", "~="}, text


def test_every_entry_point_of_a_package_resolves(package: Any) -> None:
    for entry_point in distribution(package.name).entry_points:
        assert entry_point.load() is not None, entry_point


def test_the_installed_entry_points_are_those_of_the_pyproject(package: Any) -> None:
    declared = {(group, name, value) for group, names in package.entry_points.items() for name, value in names.items()}
    scripts = {("console_scripts", name, value) for name, value in package.pyproject["project"].get("scripts", {}).items()}
    installed = {(point.group, point.name, point.value) for point in distribution(package.name).entry_points}
    assert installed == declared | scripts, f"{package.name} must be installed again: uv sync"


def test_every_plugin_brings_an_entry_point(plugin: Any) -> None:
    assert any(group.startswith("djsandbox.") for group in plugin.entry_points)


def test_the_changelog_of_a_package_begins_with_its_version(package: Any) -> None:
    text = (package.folder / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = [found["version"] for found in _RELEASE.finditer(text) if found["version"] != "Unreleased"]
    assert releases, "no '## [version] - date' heading"
    assert releases[0] == package.version


def test_packages_agree_on_licence_and_python(package: Any, root: Path) -> None:
    project = package.pyproject["project"]
    assert (project["license"], project["requires-python"]) == ("Apache-2.0", ">=3.11")
    assert (package.folder / "LICENSE").read_bytes() == (root / "LICENSE").read_bytes()


def test_the_workspace_lists_every_package_wherever_packages_are_listed(
    packages: Sequence[Any], workspace: Mapping[str, Any], root: Path
) -> None:
    names = {package.name for package in packages}
    assert set(workspace["tool"]["uv"]["sources"]) == names
    assert names <= {Requirement(text).name for text in workspace["dependency-groups"]["dev"]}
    assert set(workspace["tool"]["importlinter"]["root_packages"]) == {package.module for package in packages}
    editable = set(re.findall(r"^-e \./([\w/-]+)", (root / "requirements-dev.txt").read_text(), re.MULTILINE))
    assert editable == {str(package.folder.relative_to(root)) for package in packages}


def test_every_import_contract_about_plugins_names_all_of_them(packages: Sequence[Any], workspace: Mapping[str, Any]) -> None:
    modules = {package.module for package in packages[1:]}
    contracts = {contract["id"]: contract for contract in workspace["tool"]["importlinter"]["contracts"]}
    assert set(contracts["core"]["forbidden_modules"]) == modules
    assert set(contracts["plugins"]["modules"]) == modules
    assert set(contracts["public"]["source_modules"]) == modules


def test_plain_pip_gets_the_tools_that_uv_gets(packages: Sequence[Any], workspace: Mapping[str, Any], root: Path) -> None:
    own = {package.name for package in packages}
    for_uv = {canonicalize_name(Requirement(text).name) for text in workspace["dependency-groups"]["dev"]} - own
    lines = (root / "requirements-dev.txt").read_text(encoding="utf-8").splitlines()
    for_pip = {canonicalize_name(Requirement(line).name) for line in lines if line and line[0] not in "#-"}
    assert for_pip == for_uv
