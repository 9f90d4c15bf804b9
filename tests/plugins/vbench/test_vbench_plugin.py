"""The plugin as a package: what it registers, and what its import costs."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from typing import Any

import pytest
from djsandbox import CommandEvaluator, EnvRecipe, KnownError
from djsandbox_vbench.evaluator import VBenchVideoEvaluator
from djsandbox_vbench.known_errors import KNOWN_ERRORS
from djsandbox_vbench.recipe import VBENCH, VBENCH_DETECTRON2


def evaluator(**config: Any) -> VBenchVideoEvaluator:
    given = {"videos_path": "v", "output_path": "o", "dimension_list": ["dynamic_degree"], **config}
    return VBenchVideoEvaluator(VBenchVideoEvaluator.Config(**given))


def test_the_evaluator_is_registered_with_one_line_that_says_what_it_does() -> None:
    (entry,) = entry_points(group="djsandbox.data_evaluators", name="vbench_video_evaluator")
    component = entry.load()
    assert issubclass(component, CommandEvaluator)
    assert component.__doc__.count("\n") == 0


def test_every_key_says_what_it_is() -> None:
    own = {name for name in VBenchVideoEvaluator.Config.model_fields if name in VBenchVideoEvaluator.Config.__annotations__}
    assert own and all(VBenchVideoEvaluator.Config.model_fields[name].description for name in own)


@pytest.mark.parametrize("recipe", [VBENCH, VBENCH_DETECTRON2], ids=lambda recipe: recipe.name)
def test_the_recipes_are_registered_and_keep_what_vbench_needs_apart(recipe: EnvRecipe) -> None:
    (entry,) = entry_points(group="djsandbox.env_recipes", name=recipe.name)
    assert entry.load() is recipe
    assert {"vbench==0.1.5", "transformers==4.33.2"} <= set(recipe.requirements)
    assert {"numpy<2", "torch==2.3.1"} <= set(recipe.constraints)
    assert {"gpu", "wget", "unzip", "git"} <= {tool.name for tool in recipe.system_tools}


def test_the_four_dimensions_that_need_detectron2_get_the_recipe_that_has_it() -> None:
    assert evaluator().env_recipe() == "vbench"
    for name in ("object_class", "multiple_objects", "color", "spatial_relationship"):
        assert evaluator(dimension_list=["scene", name]).env_recipe() == "vbench-detectron2"
    (step,) = VBENCH_DETECTRON2.later
    assert step.pip_options == ("--no-build-isolation",)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("ValueError: ProcessGroupNCCL is only supported with GPUs, no GPUs found!", "VBench found no GPU"),
        ("RuntimeError: Distributed package doesn't have NCCL built in", "VBench found no GPU"),
        ("ModuleNotFoundError: No module named 'detectron2'", "VBench lacks detectron2"),
        (
            "subprocess.CalledProcessError: Command '['wget', '-P', '/c', 'http://x/a.pth']' returned non-zero exit status 4.",
            "VBench could not download a model",
        ),
        ("ModuleNotFoundError: No module named 'pkg_resources'", "openai-clip lacks pkg_resources"),
    ],
)
def test_errors_of_vbench_are_known(line: str, name: str) -> None:
    import re

    (entry,) = entry_points(group="djsandbox.known_errors", name="vbench")
    assert entry.load() is KNOWN_ERRORS
    found: list[KnownError] = [known for known in KNOWN_ERRORS if re.search(known.pattern, line)]
    assert [known.name for known in found] == [name]


def test_importing_the_evaluator_imports_nothing_heavy() -> None:
    check = (
        "import djsandbox_vbench.evaluator, djsandbox_vbench.recipe, sys\n"
        "print([name for name in ('torch', 'numpy', 'vbench', 'cv2', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
