"""The plugin as a package: what it registers, what its import costs, and that its page has every key."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from djsandbox import BaseDataExecutor, BaseEvaluator, BaseModelExecutor, BaseProbe, EnvRecipe
from djsandbox_internvl.known import INTERNVL_ERRORS
from djsandbox_internvl.recipe import INTERNVL, INTERNVL_SCORING
from djsandbox_internvl.training import InternVLCOCOCaptionTrainer

REGISTERED = [
    ("model_train_executors", "internvl_coco_caption", BaseModelExecutor),
    ("model_evaluators", "internvl_coco_caption", BaseEvaluator),
    ("general_data_executors", "coco_caption_to_dj_conversion", BaseDataExecutor),
    ("general_data_executors", "coco_caption_meta_generation", BaseDataExecutor),
    ("general_probes", "coco_caption_comparison", BaseProbe),
]
PAGE = Path(__file__).resolve().parents[3] / "plugins/internvl/README.md"


@pytest.mark.parametrize(("factory", "name", "role"), REGISTERED)
def test_every_component_is_registered_with_its_factory(factory: str, name: str, role: type) -> None:
    (entry,) = entry_points(group=f"djsandbox.{factory}", name=name)
    component = entry.load()
    assert issubclass(component, role) and component.__doc__.count("\n") == 0


@pytest.mark.parametrize(("factory", "name", "role"), REGISTERED)
def test_the_page_has_every_key_of_every_component(factory: str, name: str, role: type) -> None:
    (entry,) = entry_points(group=f"djsandbox.{factory}", name=name)
    page = PAGE.read_text(encoding="utf-8")
    assert [key for key in entry.load().Config.model_fields if f"`{key}`" not in page] == []


@pytest.mark.parametrize(("factory", "name", "role"), REGISTERED)
def test_every_key_is_described(factory: str, name: str, role: type) -> None:
    (entry,) = entry_points(group=f"djsandbox.{factory}", name=name)
    assert [key for key, info in entry.load().Config.model_fields.items() if not info.description] == []


def test_importing_the_components_imports_nothing_heavy() -> None:
    modules = ["training", "evaluation", "conversion", "meta_generation", "comparison", "recipe", "known"]
    imports = "".join(f"import djsandbox_internvl.{module}\n" for module in modules)
    heavy = ("torch", "transformers", "datasets", "numpy", "pycocoevalcap", "pandas")
    check = f"{imports}import sys\nprint([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_the_requirements_of_internvl_get_wrong_is_pinned_by_us_and_left_out_there() -> None:
    pins = dict(one.split("==") for one in INTERNVL.requirements)
    assert pins["deepspeed"] == "0.15.4" and {"bitsandbytes", "deepspeed", "flash-attn"} <= set(INTERNVL.leave_out)
    assert not any(" " in one for step in INTERNVL.steps() for one in step.requirements)  # one requirement, no options


def test_flash_attention_is_built_after_torch_and_against_it() -> None:
    last = INTERNVL.steps()[-1]
    assert last.requirements == ("flash-attn==2.3.6",) and last.pip_options == ("--no-build-isolation",)
    assert any(one.startswith("torch==") for one in INTERNVL.steps()[0].requirements)


def test_only_what_is_needed_of_the_requirements_is_installed() -> None:
    (repository,) = INTERNVL.repositories
    assert repository.requirement_files == ("requirements/internvl_chat.txt",) and len(repository.commit or "") == 40


def test_flash_attn_is_built_by_the_cuda_that_torch_is_built_with() -> None:
    (nvcc,) = (tool for tool in INTERNVL.system_tools if tool.name == "nvcc")
    assert nvcc.admits("12.4") and not nvcc.admits("11.8") and not nvcc.admits("13.0")


@pytest.mark.parametrize("recipe", [INTERNVL, INTERNVL_SCORING])
def test_java_is_among_the_tools(recipe: EnvRecipe) -> None:
    assert "java" in {tool.name for tool in recipe.system_tools}


@pytest.mark.parametrize("text", ["3.9", 3.9])
def test_the_python_of_existing_configs_can_be_asked_for(text: object) -> None:
    from djsandbox.envs import recipe_hash

    found = recipe_hash(INTERNVL, manager="uv", params={"env_py_version": text})
    assert found == recipe_hash(INTERNVL, manager="uv", params={"python": "3.9"})


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("Downloading stanford-corenlp-3.6.0 for SPICE ...", "SPICE cannot be downloaded"),
        ("Failed to load image: data/coco/train2014/1.jpg, the dataset is: coco", "images are not where the meta file says"),
        ("KeyError: 'SLURM_PROCID'", "InternVL was started for Slurm"),
    ],
)
def test_what_internvl_prints_when_it_fails_is_known(line: str, title: str) -> None:
    assert [one.name for one in INTERNVL_ERRORS if re.search(one.pattern, line)] == [title]


@pytest.mark.parametrize("line", ["computing SPICE score...", "{'loss': 2.0}", "[INFO] Add dataset: coco with length: 60"])
def test_what_good_runs_print_is_no_error(line: str) -> None:
    assert not [one for one in INTERNVL_ERRORS if re.search(one.pattern, line)]


def test_a_checkout_is_the_recipes_home_and_a_folder_that_is_none_is_told_at_its_line_only(stand_in, tmp_path) -> None:
    trainer = InternVLCOCOCaptionTrainer
    keys = {"meta_paths": ["m.json"], "model_name_or_path": "x", "conv_style_or_scale": "1B", "work_dir": "w"}
    home = str(stand_in.home)
    assert trainer(trainer.Config(**keys, internvl_home=home)).recipe_changes() == {"homes": {"internvl": home}}
    for other in (str(tmp_path), str(tmp_path / "nothing"), None):
        assert trainer(trainer.Config(**keys, internvl_home=other)).recipe_changes() == {}
