"""The plugin as a package: what it registers, and what its import costs."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import entry_points
from typing import Any

import pytest
from djsandbox import CommandExecutor, KnownError
from djsandbox_modelscope.infer import ModelscopeInferProbeExecutor
from djsandbox_modelscope.known_errors import KNOWN_ERRORS
from djsandbox_modelscope.recipe import MODELSCOPE
from djsandbox_modelscope.trainer import ModelscopeTrainExecutor

COMPONENTS = {"model_train_executors": ModelscopeTrainExecutor, "model_infer_evaluators": ModelscopeInferProbeExecutor}


@pytest.mark.parametrize(("group", "component"), COMPONENTS.items(), ids=COMPONENTS)
def test_each_component_is_registered_with_one_line_that_says_what_it_does(group: str, component: Any) -> None:
    (entry,) = entry_points(group=f"djsandbox.{group}", name="modelscope")
    assert entry.load() is component
    assert issubclass(component, CommandExecutor)
    assert component.__doc__.count("\n") == 0


@pytest.mark.parametrize("component", COMPONENTS.values(), ids=COMPONENTS)
def test_every_key_says_what_it_is(component: Any) -> None:
    own = {name for name in component.Config.model_fields if name in component.Config.__annotations__}
    assert own
    assert all(component.Config.model_fields[name].description for name in own)


def test_the_recipe_pins_torch_for_all_steps_and_stays_below_transformers_5() -> None:
    (entry,) = entry_points(group="djsandbox.env_recipes", name="modelscope")
    assert entry.load() is MODELSCOPE
    assert {"torch==2.13.0", "modelscope[framework]==1.40.2", "transformers>=4.57,<5"} <= set(MODELSCOPE.requirements)
    assert MODELSCOPE.constraints == ("torch==2.13.0",)
    assert not any(requirement.startswith("torchvision") for requirement in MODELSCOPE.requirements)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("No module named 'megatron_util'", "ModelScope lacks megatron_util"),
        (
            "modelscope_hub.errors.NetworkError: [E1020] Connection error: HTTPSConnectionPool(host='x', port=443)",
            "ModelScope cannot reach its hub",
        ),
        (
            "modelscope - ERROR - Label meh cannot be found in the label mapping {'neg': 0},which comes",
            "a label that the model does not know",
        ),
        (
            "ValueError: Metrics are needed in evaluation, please try to either add metrics",
            "there is no metric to evaluate with",
        ),
        (
            "FileNotFoundError: NlpEpochBasedTrainer: BertForSequenceClassification: [Errno 2] No such file or directory: "
            "'/models/tiny/pytorch_model.bin'",
            "ModelScope finds no pytorch_model.bin",
        ),
        ("ModuleNotFoundError: No module named 'sklearn'", "a metric of ModelScope lacks scikit-learn"),
        (
            "configuration file, but trust_remote_code=True was not explicitly set.",
            "ModelScope does not trust the model's own code",
        ),
        ("RuntimeError: operator torchvision::nms does not exist", "torchvision does not fit torch"),
        (
            "ImportError: cannot import name 'BertTokenizerFast' from 'transformers.models.x'",
            "transformers is too new for ModelScope",
        ),
        (
            "AssertionError: The key_chain train.logging and the traditional hook cannot exist at the same time, please delete",
            "two places configure one hook of ModelScope",
        ),
    ],
)
def test_errors_of_modelscope_are_known(line: str, name: str) -> None:
    (entry,) = entry_points(group="djsandbox.known_errors", name="modelscope")
    assert entry.load() is KNOWN_ERRORS
    found: list[KnownError] = [known for known in KNOWN_ERRORS if re.search(known.pattern, line)]
    assert [known.name for known in found] == [name]


def test_importing_the_components_imports_nothing_heavy() -> None:
    check = (
        "import djsandbox_modelscope.trainer, djsandbox_modelscope.infer, djsandbox_modelscope.recipe, sys\n"
        "heavy = ('torch', 'numpy', 'modelscope', 'transformers', 'datasets', 'pandas', 'requests')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
