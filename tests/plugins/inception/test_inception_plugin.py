"""The plugin as a package: what it registers, and what its import costs."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import pytest
from djsandbox import DECIDED_AT_RUN, CommandEvaluator
from djsandbox_inception.evaluator import InceptionEvaluator
from djsandbox_inception.metrics import METRICS
from djsandbox_inception.recipe import INCEPTION


def test_the_evaluator_is_registered_with_one_line_that_says_what_it_does() -> None:
    (entry,) = entry_points(group="djsandbox.data_evaluators", name="video_inception_evaluator")
    component = entry.load()
    assert issubclass(component, CommandEvaluator)
    assert component.__doc__.count("\n") == 0


def test_every_key_says_what_it_is() -> None:
    own = {name for name in InceptionEvaluator.Config.model_fields if name in InceptionEvaluator.Config.__annotations__}
    assert len(own) > 15 and all(InceptionEvaluator.Config.model_fields[name].description for name in own)


def test_the_recipe_is_registered_and_an_environment_that_has_everything_will_do() -> None:
    (entry,) = entry_points(group="djsandbox.env_recipes", name="inception")
    assert entry.load() is INCEPTION
    assert "existing" in INCEPTION.managers


def test_the_metrics_are_those_of_the_guide_with_their_keys() -> None:
    assert {name: metric.keys for name, metric in METRICS.items()} == {
        "fvd2048_16f": ("fvd2048_16f",),
        "fvd2048_128f": ("fvd2048_128f",),
        "fvd2048_128f_subsample8f": ("fvd2048_128f_subsample8f",),
        "kvd2048_16f": ("kvd2048_16f",),
        "isv2048_ucf": ("isv2048_ucf_mean", "isv2048_ucf_std"),
        "prv2048_3n_16f": ("prv2048_3n_16f_precision", "prv2048_3n_16f_recall"),
        "fid50k": ("fid50k",),
        "kid50k": ("kid50k",),
        "is50k": ("is50k_mean", "is50k_std"),
        "pr50k_3n": ("pr50k_3n_precision", "pr50k_3n_recall"),
    }


def test_a_plan_knows_the_names_of_the_results() -> None:
    config = InceptionEvaluator.Config(fake_data_path="f", real_data_path="r", metric="is50k", num_runs=2)
    keys = ["is50k_mean_run01", "is50k_std_run01", "is50k_mean_run02", "is50k_std_run02"]
    keys += ["is50k_mean_mean", "is50k_mean_std", "is50k_std_mean", "is50k_std_std"]
    assert InceptionEvaluator(config).planned_outputs()["results"] == dict.fromkeys(keys, DECIDED_AT_RUN)


def test_folders_of_videos_and_how_features_are_computed_do_not_change_what_is_computed() -> None:
    given = {"fake_data_path": "f", "real_data_path": "r"}
    plain, other = (
        InceptionEvaluator(InceptionEvaluator.Config(**given, **more)).key_fields()
        for more in ({}, {"fake_mm_dir": "v", "batch_size": 2, "device": "cuda", "replace_cache": True, "cache_path": "c"})
    )
    assert plain == other
    assert plain != InceptionEvaluator(InceptionEvaluator.Config(**given, seed=1)).key_fields()


@pytest.mark.parametrize("module", ["evaluator", "recipe", "worker.start"])
def test_importing_the_plugin_imports_nothing_heavy(module: str) -> None:
    check = (
        f"import djsandbox_inception.{module}, sys\n"
        "print([name for name in ('torch', 'numpy', 'scipy', 'av', 'cv2', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
