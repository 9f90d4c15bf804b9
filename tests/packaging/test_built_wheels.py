"""What a user installs is a wheel: each is complete, and works in an environment that holds nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

# One job for each factory; the types belong to plugins that are not there.
MISSING = {
    "sklearn_text_classifier": ("TrainModelHook", "djsandbox-sklearn"),
    "data_pool_construction": ("DataPoolManipulationHook", "djsandbox-pools"),
    "data_pool_ranking": ("GeneralProbeHook", "djsandbox-pools"),
    "accuracy": ("EvaluateDataHook", "djsandbox-pools"),
}


def _config_without_its_plugins() -> str:
    jobs = [
        f"  - hook: {hook}\n    meta_name: job_{number}\n    extra_configs: {{type: {name}}}\n"
        for number, (name, (hook, _)) in enumerate(MISSING.items())
    ]
    analysis = "  - hook: ProbeViaAnalyzerHook\n    meta_name: analysis\n    dj_configs: {dataset_path: ./data.jsonl}\n"
    return "project_name: alone\nexecution_job_configs:\n" + "".join([*jobs, analysis])


def test_a_wheel_holds_every_file_of_its_package_and_no_other(package: Any, wheels: Mapping[str, Path], root: Path) -> None:
    source = package.folder / "src"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", str(source)],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    ours = {str((root / name).relative_to(source)) for name in listed.stdout.split("\0") if name and (root / name).exists()}
    with zipfile.ZipFile(wheels[package.name]) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == ours
    assert f"{package.module}/py.typed" in held
    assert not [name for name in held if "test_" in name or "conftest" in name]


def test_a_wheel_carries_its_licence_its_readme_and_its_dependencies(package: Any, wheels: Mapping[str, Path]) -> None:
    with zipfile.ZipFile(wheels[package.name]) as wheel:
        information = f"{package.module}-{package.version}.dist-info"
        assert f"{information}/licenses/LICENSE" in wheel.namelist()
        metadata = wheel.read(f"{information}/METADATA").decode()
    assert "License-Expression: Apache-2.0" in metadata
    assert (package.folder / "README.md").read_text(encoding="utf-8").strip() in metadata
    assert metadata.count("\nRequires-Dist: ") >= len(package.requirements)


def test_the_core_alone_starts_and_has_its_own_job_hooks_and_launcher_only(
    environment: Callable[..., Any], packages: Sequence[Any]
) -> None:
    alone = environment()
    version = alone.run("djsandbox", "--version")
    assert version.returncode == 0 and packages[0].version in version.stdout
    listed = alone.run("djsandbox", "components", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    assert {row["group"] for row in json.loads(listed.stdout)} == {"job_hooks", "launchers"}


def test_the_core_alone_says_which_package_brings_each_missing_type(environment: Callable[..., Any], tmp_path: Path) -> None:
    config = tmp_path / "sandbox.yaml"
    config.write_text(_config_without_its_plugins(), encoding="utf-8")
    done = environment().run("djsandbox", "validate", str(config), cwd=tmp_path)
    said = done.stdout + done.stderr
    assert done.returncode == 2, said
    for name, (_, distribution) in MISSING.items():
        assert re.search(rf"sandbox\.yaml:\d+: .*{name}", said), said
        assert f"pip install {distribution}" in said
    assert "pip install djsandbox-datajuicer" in said
    assert "Traceback" not in said


def test_a_plugin_works_from_its_wheel(plugin: Any, environment: Callable[..., Any]) -> None:
    fresh = environment(plugin.name)
    listed = fresh.run("djsandbox", "plugins", "list")
    assert listed.returncode == 0 and plugin.name in listed.stdout, listed.stderr
    doctor = fresh.run("djsandbox", "plugins", "doctor")
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    components = fresh.run("djsandbox", "components", "list", "--json")
    assert components.returncode == 0, components.stderr
    offered = {(row["group"], row["type"]) for row in json.loads(components.stdout) if row["package"] == plugin.name}
    others = {"env_managers", "env_recipes", "known_errors", "message_functions"}  # named by components, and listed elsewhere
    assert offered == {
        (short, name)
        for group, names in plugin.entry_points.items()
        for name in names
        if (short := group.removeprefix("djsandbox.")) not in others
    }
    assert "BROKEN" not in components.stdout


def test_no_installation_brings_a_deep_learning_framework(plugin: Any, environment: Callable[..., Any]) -> None:
    found = environment(plugin.name).run("python", "-c", "import importlib.util as u; print(u.find_spec('torch'))")
    assert found.stdout.strip() == "None"


def test_the_small_plugins_install_without_pins(environment: Callable[..., Any]) -> None:
    newest = environment("djsandbox-optuna", "djsandbox-pools", "djsandbox-sklearn", pinned=False)
    doctor = newest.run("djsandbox", "plugins", "doctor")
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_the_small_plugins_work_on_later_pythons(
    version: str, environment: Callable[..., Any], uv: Callable[..., None]
) -> None:
    try:
        uv("python", "find", version)
    except AssertionError:
        pytest.skip(f"no Python {version} on this machine")
    later = environment("djsandbox-optuna", "djsandbox-pools", "djsandbox-sklearn", python=version)
    doctor = later.run("djsandbox", "plugins", "doctor")
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
