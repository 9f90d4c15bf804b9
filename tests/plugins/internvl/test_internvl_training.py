"""Training with the stand-in: arguments, tasks, metrics, results, and every way to fail."""

from __future__ import annotations

import itertools
import json
import subprocess
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox import JobFailed

GOOD = [f"A brown dog resting near the old wall number {word}." for word in ("one", "two", "three", "four")] * 4
POOR = ["dog", "!!! 1234567 #photo", "cat", "boat"] * 4


def models_of(result: Any) -> list[str]:
    (pipeline,) = result.context.values()
    return next(job["models"] for job in pipeline if job["meta_name"] == "train")


def metrics(work: Path) -> dict[str, list[Any]]:
    """Name -> values, of all that was recorded."""
    found: dict[str, list[Any]] = {}
    for path in work.rglob("metrics*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            if "name" in entry:
                found.setdefault(entry["name"], []).append((entry.get("step"), entry.get("value")))
    return found


def test_each_pool_trains_a_model_and_the_results_are_in_config_order(sandbox, train_job, captions, tmp_path) -> None:
    metas = [captions("good", GOOD), captions("poor", POOR)]
    result = djsandbox.run(sandbox(train_job(metas)))
    assert models_of(result) == [str(tmp_path / f"models/{name}_meta_InternVL2-1B") for name in ("good", "poor")]
    assert all(Path(model, "model.safetensors").is_file() for model in models_of(result))


def test_the_global_batch_is_what_accumulation_makes_of_it(sandbox, train_job, captions, tmp_path) -> None:
    djsandbox.run(
        sandbox(train_job([captions("good", GOOD)], global_batch_size=8, num_train_epochs=2, script_dir=str(tmp_path / "sh")))
    )
    state = json.loads((tmp_path / "models/good_meta_InternVL2-1B/trainer_state.json").read_text())
    assert state["global_step"] == 2 * len(GOOD) // 8
    (script,) = (tmp_path / "sh").glob("*.sh")
    words = script.read_text().split()
    given = dict(itertools.pairwise(words))
    assert given["--gradient_accumulation_steps"] == "2" and given["--per_device_train_batch_size"] == "4"
    assert given["--conv_style"] == "Hermes-2" and given["--use_llm_lora"] == "128" and given["--learning_rate"] == "4e-05"


def test_loss_and_learning_rate_are_recorded_step_by_step_under_the_task(sandbox, train_job, captions, tmp_path) -> None:
    result = djsandbox.run(sandbox(train_job([captions("good", GOOD)])))
    recorded = metrics(tmp_path / "work")
    task = "train.good_meta_InternVL2-1B"
    steps = [step for step, _ in recorded[f"{task}.loss"]]
    assert steps == [1, 2, 3, 4]
    assert recorded[f"{task}.lr"][-1][1] == 0.0 and recorded[f"{task}.epoch"][-1][1] == 1.0
    history = json.loads(Path(models_of(result)[0], "trainer_state.json").read_text())["log_history"]
    assert recorded[f"{task}.final_loss"][-1][1] == history[-2]["loss"]


def test_tasks_side_by_side_have_ports_of_their_own(sandbox, train_job, captions) -> None:
    metas = [captions(name, GOOD) for name in ("one", "two", "three")]
    launcher = {"type": "local", "max_parallel": 3}
    assert len(models_of(djsandbox.run(sandbox(train_job(metas, mode="slow", launcher=launcher, num_train_epochs=0.25))))) == 3


def test_a_port_of_the_users_is_the_first_of_as_many_as_there_are_tasks(training, captions, stand_in) -> None:
    from djsandbox_internvl.training import InternVLCOCOCaptionTrainer as Trainer

    keys = training([captions("one", GOOD), captions("two", GOOD)], master_port=34229)
    tasks = list(_attached(Trainer, keys).tasks("train"))
    assert [task.env["MASTER_PORT"] for task in tasks] == ["34229", "34230"]
    assert "--master_port=34230" in tasks[1].argv


def test_variables_and_folder_are_those_that_internvl_needs(training, captions, stand_in, chat) -> None:
    from djsandbox_internvl.training import InternVLCOCOCaptionTrainer as Trainer

    keys = training([captions("one", GOOD)])
    keys["env_params"]["variables"] = {"PYTHONPATH": "/mine", "HELLO": "1"}
    (task,) = _attached(Trainer, keys).tasks("train")
    assert task.cwd == str(chat) and task.env["PYTHONPATH"] == f"{chat}:/mine"
    assert (task.env["LAUNCHER"], task.env["TF_CPP_MIN_LOG_LEVEL"], task.env["HELLO"]) == ("pytorch", "3", "1")
    assert str(stand_in.environment / "bin" / "torchrun") in task.argv


def test_the_script_for_people_repeats_the_training_and_tells_no_variables_of_the_users(
    sandbox, train_job, captions, tmp_path
) -> None:
    job = train_job([captions("good", GOOD)], script_dir=str(tmp_path / "sh"))
    job["extra_configs"]["env_params"]["variables"] = {"MY_SERVER": "hidden-from-scripts"}
    djsandbox.run(sandbox(job))
    (script,) = (tmp_path / "sh").glob("*.sh")
    assert "hidden-from-scripts" not in script.read_text()
    state = tmp_path / "models/good_meta_InternVL2-1B/trainer_state.json"
    before = state.stat().st_mtime_ns
    subprocess.run(["bash", str(script)], check=True, capture_output=True)
    assert state.stat().st_mtime_ns > before


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("exit-0-nothing", "did not write its output"),
        ("old-results", "did not write its output"),
        ("crash-midway", "illegal memory access"),
        ("out-of-memory", "out of memory"),
        ("killed", "good_meta_InternVL2-1B"),
        ("truncated-model", "not whole"),
    ],
)
def test_a_training_that_fails_in_any_way_fails_its_job(mode, said, sandbox, train_job, captions) -> None:
    with pytest.raises(JobFailed) as caught:
        djsandbox.run(sandbox(train_job([captions("good", GOOD)], mode)))
    assert said in str(caught.value)


@pytest.mark.parametrize("mode", ["exit-0-nothing", "old-results"])
def test_a_model_of_an_earlier_run_never_counts(mode, sandbox, train_job, captions, tmp_path) -> None:
    meta = captions("good", GOOD)
    djsandbox.run(sandbox(train_job([meta])))
    old = tmp_path / "models/good_meta_InternVL2-1B/checkpoint-9999"
    old.mkdir()
    with pytest.raises(JobFailed):
        djsandbox.run(sandbox(train_job([meta], mode)))
    assert not old.exists()


def test_what_else_lies_in_a_models_folder_stays(sandbox, train_job, captions, tmp_path) -> None:
    mine = tmp_path / "models/good_meta_InternVL2-1B/notes.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    djsandbox.run(sandbox(train_job([captions("good", GOOD)])))
    assert mine.read_text() == "mine"


def test_a_nan_loss_is_said_and_recorded(sandbox, train_job, captions, tmp_path) -> None:
    result = djsandbox.run(sandbox(train_job([captions("good", GOOD)], "nan-loss")))
    assert models_of(result)
    logs = "".join(path.read_text() for path in (tmp_path / "work/logs").rglob("*.log"))
    assert "ended as nan: the model has learned nothing" in logs
    values = [value for _, value in metrics(tmp_path / "work")["train.good_meta_InternVL2-1B.final_loss"]]
    assert values[-1] == {"__djsandbox__": "float", "value": "nan"}


def test_a_nan_loss_would_be_hidden_as_the_official_script_hides_it(sandbox, train_job, captions, tmp_path) -> None:
    djsandbox.run(sandbox(train_job([captions("good", GOOD)], "nan-loss", logging_nan_inf_filter=True)))
    assert {value for _, value in metrics(tmp_path / "work")["train.good_meta_InternVL2-1B.loss"]} == {0.0}


def test_a_nan_loss_fails_where_that_is_asked_for(sandbox, train_job, captions) -> None:
    with pytest.raises(JobFailed, match="ended as nan"):
        djsandbox.run(sandbox(train_job([captions("good", GOOD)], "nan-loss", on_nan_loss="fail")))


def test_a_training_that_fails_once_is_tried_again(sandbox, train_job, captions) -> None:
    assert models_of(djsandbox.run(sandbox(train_job([captions("good", GOOD)], "crash-once", retries=1))))


def test_only_what_had_not_finished_runs_again_on_resume(sandbox, train_job, captions, tmp_path) -> None:
    metas = [captions(name, GOOD) for name in ("one", "two")]
    launcher = {"type": "local", "max_parallel": 1}
    # it crashes once, in a file that the task itself leaves beside its folder
    config = sandbox(train_job(metas, "crash-once:two", launcher=launcher))
    with pytest.raises(JobFailed, match="two_meta"):
        djsandbox.run(config)
    first = tmp_path / "models/one_meta_InternVL2-1B/model.safetensors"
    before = first.stat().st_mtime_ns
    result = djsandbox.run(config, resume=True)
    assert len(models_of(result)) == 2 and first.stat().st_mtime_ns == before


def test_changed_rows_train_again_though_the_meta_file_is_the_same(sandbox, train_job, captions, tmp_path) -> None:
    config = sandbox(train_job([captions("good", GOOD)]))
    djsandbox.run(config)
    assert djsandbox.run(config, resume=True).executed == ()
    captions("good", POOR)
    assert djsandbox.run(config, resume=True).executed


def _attached(component: Any, keys: dict[str, Any]) -> Any:
    """The component in the environment that its config names."""
    from djsandbox import JobContext
    from djsandbox.envs import environment_for, find_recipe

    config = component.Config.model_validate({key: value for key, value in keys.items() if key != "type"})
    made = component(config)
    params = {**made.recipe_changes(), **config.env_params}
    ready = environment_for(find_recipe(made.env), manager=config.env_manager, params=params)
    return made.attach(JobContext(environment=ready))
