"""The plugin as a package: what it registers, what its import costs, its recipes and known errors."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from djsandbox import CommandExecutor
from djsandbox.envs import find_recipe, recipe_hash
from djsandbox_trinity.known_errors import KNOWN_ERRORS
from djsandbox_trinity.recipe import TRINITY, TRINITY_CPU, TRINITY_SOURCE
from djsandbox_trinity.schema import VERSION, load_schema
from djsandbox_trinity.testing import FAILURES
from djsandbox_trinity.trainer import TrinityRFTTrainer


def test_the_trainer_is_registered_with_its_factory():
    (entry,) = entry_points(group="djsandbox.model_train_executors", name="trinity-rft")
    assert entry.load() is TrinityRFTTrainer
    assert issubclass(TrinityRFTTrainer, CommandExecutor)


def test_importing_it_imports_nothing_heavy():
    modules = ["trainer", "recipe", "known_errors", "config_check", "worker.run"]
    check = "".join(f"import djsandbox_trinity.{module}\n" for module in modules)
    heavy = ("torch", "transformers", "datasets", "numpy", "ray", "trinity")
    check += f"import sys\nprint([one for one in {heavy} if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_programs_that_it_runs_are_named_as_workers():
    for name in TrinityRFTTrainer.workers:
        importlib.import_module(name)


def test_what_runs_in_trinitys_environment_needs_only_python_3_10_and_trinity():
    folder = Path(importlib.import_module("djsandbox_trinity.worker").__file__).parent
    imported = set()
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(), feature_version=(3, 10))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(node.module.split(".")[0])
    assert imported - sys.stdlib_module_names == {"trinity"}


@pytest.mark.parametrize("recipe", [TRINITY, TRINITY_SOURCE, TRINITY_CPU], ids=lambda recipe: recipe.name)
def test_each_recipe_is_registered_constrains_torch_and_has_a_check(recipe):
    assert find_recipe(recipe.name) == recipe
    assert any(line.startswith("torch==") for line in recipe.constraints)
    assert recipe.check[0] == "python"


def test_verl_and_trinity_are_installed_without_the_dependencies_that_contradict_each_other():
    assert ("verl==0.9.1", "trinity-rft==0.6.0") in [
        step.requirements for step in TRINITY.later if "--no-deps" in step.pip_options
    ]
    assert TRINITY.later[-1].pip_options == ("--no-build-isolation",)


def test_a_home_makes_another_environment_than_the_release(stand_in):
    trainer = TrinityRFTTrainer(TrinityRFTTrainer.Config(trinity_home=str(stand_in.home)))
    assert trainer.env_recipe() == "trinity-source"
    changes = trainer.recipe_changes()
    assert changes == {"homes": {"trinity": str(stand_in.home)}}
    with_home = recipe_hash(TRINITY_SOURCE, manager="venv", params=changes)
    assert with_home != recipe_hash(TRINITY, manager="venv")


def test_the_keys_of_the_release_are_known():
    schema = load_schema()
    assert schema["version"] == VERSION
    assert schema["classes"]["Config"]["buffer"] == "BufferConfig"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("ValueError: Not enough GPUs for trainer. Explorer requires 2 GPUs, but total", "Trinity has too few GPUs"),
        ("ValueError: Unable to determine `max_model_len`, please set it manually.", "context"),
        ("ray.exceptions.AuthenticationError: InvalidAuthToken: x", "token"),
        ("datasets.exceptions.DatasetNotFoundError: Dataset 'x' doesn't exist", "taskset"),
    ],
)
def test_known_errors_are_recognised(line, name):
    assert [known.name for known in KNOWN_ERRORS if re.search(known.pattern, line) and name in known.name]


def test_the_page_has_every_key_and_every_way_to_fail():
    readme = (Path(__file__).resolve().parents[3] / "plugins/trinity/README.md").read_text()
    named = set(re.findall(r"`([\w-]+)`", readme))
    assert set(TrinityRFTTrainer.Config.model_fields) <= named
    assert set(FAILURES) <= named
