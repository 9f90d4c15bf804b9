"""Heavy libraries are imported when a job runs and not before."""

from __future__ import annotations

import subprocess
import sys

_PLAN = """
import sys
from djsandbox_datajuicer.executor import DJExecutor
from djsandbox_datajuicer.analyzer import DJAnalyzer
from djsandbox_datajuicer.k_sigma import KSigmaRefiner

recipe = {"dataset_path": "in.jsonl", "export_path": "out.jsonl", "process": [{"text_length_filter": {"min_len": 3}}]}
for component_class in (DJExecutor, DJAnalyzer):
    component = component_class(component_class.Config.model_validate(recipe))
    assert not list(component.check())
    component.key_fields(), component.output_paths(), component.planned_outputs(), list(component.referenced_files())
refiner = KSigmaRefiner(KSigmaRefiner.Config(path_k_sigma_recipe="r.yaml"))
assert not list(refiner.check()) and refiner.planned_outputs() == "r.yaml"
heavy = {"data_juicer", "datasets", "torch", "ray", "pandas", "numpy", "pyarrow", "loguru", "matplotlib"}
print(sorted(heavy & set(sys.modules)))
"""


def test_planning_imports_neither_data_juicer_nor_what_it_needs() -> None:
    done = subprocess.run([sys.executable, "-c", _PLAN], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
