from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from djsandbox import BaseDataExecutor, CommandExecutor
from djsandbox.envs.recipes import find_recipe
from djsandbox_easyanimate import known_errors
from djsandbox_easyanimate.home import CURRENT_PROOF, LEGACY_PROOF
from djsandbox_easyanimate.testing.layout import make_stand_in

GROUPS = {
    "djsandbox.model_train_executors": ("easyanimate", CommandExecutor),
    "djsandbox.model_infer_executors": ("easyanimate", CommandExecutor),
    "djsandbox.general_data_executors": ("dj_to_easyanimate_video_dataset_conversion", BaseDataExecutor),
}
HEAVY = ("torch", "transformers", "diffusers", "datasets", "numpy", "omegaconf", "data_juicer")
PLUGIN = Path(__file__).resolve().parents[3] / "plugins" / "easyanimate"


@pytest.mark.parametrize("group", GROUPS)
def test_every_component_is_found_by_its_type_and_every_key_is_described(group: str) -> None:
    name, role = GROUPS[group]
    (point,) = [one for one in entry_points(group=group) if one.dist and one.dist.name == "djsandbox-easyanimate"]
    component = point.load()
    assert point.name == name and issubclass(component, role) and "\n" not in component.__doc__
    assert all(field.description for field in component.Config.model_fields.values())


def test_importing_the_components_imports_no_heavy_library() -> None:
    modules = ["trainer", "inference", "conversion", "recipe", "known_errors"]
    program = (
        f"import sys, importlib\nfor module in {modules!r}: importlib.import_module('djsandbox_easyanimate.' + module)\n"
        f"print(*(library for library in {HEAVY!r} if library in sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert not result.stdout.split()


def test_the_recipes_pin_torch_and_what_brings_it_and_name_whole_commits() -> None:
    for name, proof in (("easyanimate", CURRENT_PROOF), ("easyanimate_legacy", LEGACY_PROOF)):
        recipe = find_recipe(name)
        assert "torch==2.2.0" in recipe.requirements and "torch==2.2.0" in recipe.constraints
        (repository,) = recipe.repositories
        assert repository.proof == proof
        assert any("--no-deps" in step.pip_options and "xformers==0.0.24" in step.requirements for step in recipe.later)
        assert {tool.name for tool in recipe.system_tools} == {"gpu", "ffmpeg"}
    assert find_recipe("easyanimate").repositories[0].commit == "c2a70d17daa1549a22129d0cd0e02053ecccd75c"
    assert find_recipe("easyanimate_legacy").repositories[0].url is None  # the patch is not ours to ship


def test_the_stand_in_is_a_checkout_of_each_version_by_the_recipes_own_proof(tmp_path: Path) -> None:
    made = make_stand_in(tmp_path)
    assert all((made.home / name).exists() for name in CURRENT_PROOF)
    assert all((made.legacy / name).exists() for name in LEGACY_PROOF)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("RuntimeError: PixArt-alpha/PixArt-XL-2-512x512/transformer/config.json does not exist", "the base model"),
        ("wandb.errors.errors.UsageError: api_key not configured (no-tty). call wandb.login()", "a Weights & Biases key"),
        ("ImportError: libGL.so.1: cannot open shared object file: No such file or directory", "OpenCV lacks"),
        ("RuntimeError: Error(s) in loading state_dict for EasyAnimateTransformer3DModel:", "weights that do not fit"),
    ],
)
def test_an_error_of_the_tool_is_known(line: str, name: str) -> None:
    (found,) = [error for error in known_errors.KNOWN_ERRORS if re.search(error.pattern, line)]
    assert found.name.startswith(name)


def test_the_stand_in_prints_options_that_need_no_quotes(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "djsandbox_easyanimate.testing", str(tmp_path / "tool"), "--version", "legacy"]
    lines = subprocess.run(program, check=True, capture_output=True, text=True).stdout.splitlines()
    assert len(lines) == 6 and all(re.fullmatch(r"--set JOB\.extra_configs\.[\w.]+=\S+", line) for line in lines)


def test_the_stand_in_is_not_made_where_a_shell_would_split_its_options(tmp_path: Path) -> None:
    for words in (
        [str(tmp_path / "two words")],
        [str(tmp_path / "tool"), "--env", "vbench"],
        [str(tmp_path), "--for", "no.yaml"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "djsandbox_easyanimate.testing", *words], check=False, capture_output=True, text=True
        )
        assert done.returncode == 2 and not done.stdout and "Traceback" not in done.stderr
    refused = subprocess.run(
        [sys.executable, "-m", "djsandbox_easyanimate.testing", "two words"], check=False, capture_output=True, text=True
    )
    assert "white space" in refused.stderr and "take another folder" in refused.stderr


def test_the_driver_is_python_3_10_and_a_module_apart_from_ours() -> None:
    import ast

    source = PLUGIN / "src/djsandbox_easyanimate/drivers/text_to_video.py"
    ast.parse(source.read_text(), feature_version=(3, 10))
    assert "djsandbox" not in source.read_text()
    assert {path.name for path in source.parent.glob("*.py")} == {"__init__.py", "text_to_video.py"}


@pytest.mark.slow
def test_after_kill_9_of_the_engine_only_the_parts_that_were_not_finished_are_generated(place: Any) -> None:
    extra = {**place.inference(fault="slow", gpu_num=4), "launcher": {"type": "local", "max_parallel": 1}}
    config = place.config("InferModelHook", extra)
    program = [sys.executable, "-m", "djsandbox", "run", config]
    engine = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    second = Path("out/videos/a red car on a mountain road-0.mp4")
    try:
        while not second.exists():
            assert engine.poll() is None, "the run has ended by itself"
            time.sleep(0.05)
    finally:
        engine.send_signal(signal.SIGKILL)
        engine.wait()
    first = Path("out/videos/a cat plays the piano-0.mp4").stat().st_mtime_ns
    _wait_until_gone(str(place.folder / "work"))
    done = subprocess.run([*program, "--resume", "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert Path("out/videos/a cat plays the piano-0.mp4").stat().st_mtime_ns == first
    assert len(list(Path("out/videos").iterdir())) == 8
    assert json.loads(done.stdout)


def _wait_until_gone(word: str) -> None:
    """The tool ends with the engine; OSError for a process that ends while it is looked at."""
    while any(word in _command(path) for path in Path("/proc").glob("[0-9]*/cmdline")):
        time.sleep(0.05)


def _command(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
