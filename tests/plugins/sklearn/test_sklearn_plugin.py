"""The plugin as a package: what it registers, and what its import costs."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import pytest
from djsandbox import BaseEvaluator, BaseModelExecutor, BaseProbe

REGISTERED = [
    ("model_train_executors", "sklearn_text_classifier", BaseModelExecutor),
    ("model_evaluators", "sklearn_text_classifier", BaseEvaluator),
    ("data_evaluators", "sklearn_text_classifier", BaseEvaluator),
    ("general_probes", "paired_bootstrap_resampling", BaseProbe),
]


@pytest.mark.parametrize(("factory", "name", "role"), REGISTERED)
def test_every_component_is_registered_with_its_factory(factory, name, role):
    (entry,) = entry_points(group=f"djsandbox.{factory}", name=name)
    component = entry.load()
    assert issubclass(component, role)
    assert component.__doc__.count("\n") == 0
    assert component.deterministic


def test_importing_the_components_imports_nothing_heavy():
    modules = ["trainer", "model_evaluator", "data_evaluator", "comparison"]
    imports = "".join(f"import djsandbox_sklearn.{module}\n" for module in modules)
    check = imports + "import sys\nprint([name for name in ('numpy', 'scipy', 'sklearn', 'pandas') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
