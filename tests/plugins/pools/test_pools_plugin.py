from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import yaml
from djsandbox import BaseDataPoolManipulator, BaseEvaluator, BaseProbe
from djsandbox.components.paths import path_uses
from djsandbox_pools.downsampling import DataPoolDownsampling

COMPONENTS = {
    "djsandbox.data_pool_manipulators": {
        "data_pool_construction": "DataPoolConstruction",
        "data_pool_combination": "DataPoolCombination",
        "data_pool_duplication": "DataPoolDuplication",
        "data_pool_downsampling": "DataPoolDownsampling",
        "data_pool_merging": "DataPoolMerging",
        "data_pool_cartesian_join": "DataPoolCartesianJoin",
    },
    "djsandbox.general_probes": {"data_pool_ranking": "DataPoolRanking"},
    "djsandbox.data_evaluators": {"accuracy": "AccuracyEvaluator", "mse": "MSEEvaluator"},
}
ROLES = {
    "djsandbox.data_pool_manipulators": BaseDataPoolManipulator,
    "djsandbox.general_probes": BaseProbe,
    "djsandbox.data_evaluators": BaseEvaluator,
}
HEAVY = ("datasets", "pandas", "pyarrow", "data_juicer", "torch", "sklearn", "ray")


@pytest.mark.parametrize("group", COMPONENTS)
def test_every_component_is_found_by_its_type_and_fills_its_role(group: str) -> None:
    points = [point for point in entry_points(group=group) if point.dist and point.dist.name == "djsandbox-pools"]
    found = {point.name: point.load() for point in points}
    assert {name: component.__name__ for name, component in found.items()} == COMPONENTS[group]
    for component in found.values():
        assert issubclass(component, ROLES[group]) and component.deterministic
        assert component.__doc__ and "\n" not in component.__doc__ and component.Config.__doc__


def test_importing_the_components_imports_no_heavy_library() -> None:
    modules = [point.module for group in COMPONENTS for point in entry_points(group=group) if "djsandbox_pools" in point.value]
    program = (
        f"import sys, importlib\nfor module in {modules!r}: importlib.import_module(module)\n"
        f"print(*(library for library in {HEAVY!r} if library in sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert modules and not result.stdout.split()


def test_the_inputs_of_a_manipulator_are_typed_paths() -> None:
    config = DataPoolDownsampling.Config(dataset_path=["a.jsonl", "b.jsonl"], export_path="out")
    uses = [(use.loc, use.kind, use.value) for use in path_uses(config)]
    assert uses == [
        (("dataset_path", 0), "input", "a.jsonl"),
        (("dataset_path", 1), "input", "b.jsonl"),
        (("export_path",), "output", "out"),
    ]


@pytest.mark.parametrize("name", ["pool.parquet", "pool.CSV", "pool.jsonl.gz"])
def test_a_file_that_is_no_json_lines_by_its_name_is_found_while_planning(name: str) -> None:
    config = DataPoolDownsampling.Config(dataset_path=["a.jsonl", name], export_path="out")
    [finding] = DataPoolDownsampling(config).check()
    assert finding.loc == ("dataset_path", 1) and name in finding.message


def test_the_examples_of_the_readme_are_valid_and_its_tables_name_every_key() -> None:
    readme = (Path(__file__).parents[3] / "plugins" / "pools" / "README.md").read_text(encoding="utf-8")
    points = {point.name: point for group in COMPONENTS for point in entry_points(group=group)}
    shown = set()
    for block in re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL):
        for job in yaml.safe_load(block):
            settings = dict(job["extra_configs"])
            shown.add(name := settings.pop("type"))
            points[name].load().Config(**settings)
    assert shown | {"accuracy"} == {name for types in COMPONENTS.values() for name in types}
    for name in [*shown, "accuracy"]:
        assert all(f"`{key}`" in readme for key in points[name].load().Config.model_fields)


def test_the_benchmark_writes_the_rows_of_its_baseline() -> None:
    benchmark = Path(__file__).parents[3] / "benchmarks" / "pools.py"
    result = subprocess.run([sys.executable, str(benchmark), "--rows", "40"], check=True, capture_output=True, text=True)
    assert "DIFFERENT" not in result.stdout and result.stdout.count("\n") == 9
