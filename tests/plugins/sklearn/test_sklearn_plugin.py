"""The plugin as a package: what it registers, and what its import costs."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import pytest
from djsandbox import BaseEvaluator, BaseModelExecutor, BaseProbe
from djsandbox_sklearn.pool_names import unique_names

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


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/x.jsonl", "b/y.jsonl"], ["x", "y"]),
        (["a/x.jsonl", "b/x.jsonl"], ["a_x", "b_x"]),
        (["/r/1/a/x.jsonl", "/r/2/a/x.jsonl"], ["1_a_x", "2_a_x"]),
        (["x.jsonl", "a/x.jsonl"], ["x", "a_x"]),
        (["a/x.jsonl", "a/x.jsonl"], ["a_x", "a_x_2"]),
        (["b/x.jsonl", "a/x.jsonl", "b_x.jsonl"], ["b_x", "a_x", "b_x_2"]),
        (["./a/x.jsonl"], ["x"]),
    ],
)
def test_pools_are_named_by_as_much_of_their_path_as_tells_them_apart(paths, names):
    assert unique_names(paths) == names
