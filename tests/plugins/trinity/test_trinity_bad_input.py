"""What is wrong with a job or with Trinity's config is named before anything starts, at its line."""

from __future__ import annotations

import pytest
import yaml


def the_one(problems):
    errors = [problem for problem in problems if problem.severity == "error"]
    assert len(errors) == 1, [str(one) for one in errors]
    return errors[0]


def line_of(path, text):
    return next(number for number, line in enumerate(path.read_text().splitlines(), start=1) if text in line)


def test_a_good_config_has_nothing_wrong(sandbox):
    assert [problem for problem in sandbox.problems() if "GPU" not in problem.message] == []


def test_a_job_without_a_trinity_config_says_which_key_is_missing(sandbox):
    assert "trinity_config_path" in the_one(sandbox.problems(trinity_config_path=...)).fix


def test_a_trinity_config_that_is_not_there_is_named_at_its_line(sandbox):
    problem = the_one(sandbox.problems(trinity_config_path="/nowhere/grpo.yaml"))
    assert problem.where.line == line_of(sandbox.path, "trinity_config_path")


@pytest.mark.parametrize(
    ("text", "words"),
    [("a: [", "is no YAML"), ("- a\n", "holds a list"), ("", "holds nothing"), ("\x00", "is no YAML")],
)
def test_a_trinity_config_that_is_no_mapping_is_refused(sandbox, text, words):
    broken = sandbox.folder / "broken.yaml"
    broken.write_text(text)
    problem = the_one(sandbox.problems(trinity_config_path=str(broken)))
    assert words in problem.message
    assert problem.where.line == line_of(sandbox.path, "trinity_config_path")


def test_an_unknown_key_is_named_with_its_line_in_trinitys_file_and_the_nearest_one(sandbox):
    sandbox.trinity["buffer"]["totl_steps"] = 3
    [problem] = [problem for problem in sandbox.problems() if "totl_steps" in problem.message]
    assert f"trinity.yaml:{line_of(sandbox.folder / 'trinity.yaml', 'totl_steps')}: " in problem.message
    assert problem.fix == "did you mean 'total_steps'?"


def test_an_unknown_key_is_an_error_where_we_install_trinity_and_doubtful_in_an_environment_of_the_users(sandbox):
    sandbox.trinity["projekt"] = "x"
    theirs = [problem for problem in sandbox.problems() if "projekt" in problem.message]
    ours = [
        problem
        for problem in sandbox.problems(env_manager="venv", env_params={"python": "3.11"})
        if "projekt" in problem.message
    ]
    assert ([one.severity for one in theirs], [one.severity for one in ours]) == (["warning"], ["error"])


def test_an_unknown_key_of_overrides_is_named_at_its_own_line(sandbox):
    problems = sandbox.problems(overrides={"algorithm": {"repeat": 3}})
    [problem] = [problem for problem in problems if "algorithm.repeat" in problem.message]
    assert problem.where.line == line_of(sandbox.path, "repeat: 3")


@pytest.mark.parametrize("mode", ["bench", "serve", "explore", "trian"])
def test_a_mode_that_trains_nothing_is_refused(sandbox, mode):
    assert f"'{mode}'" in the_one(sandbox.problems(overrides={"mode": mode})).message


def test_a_model_that_is_not_there_is_named(sandbox):
    sandbox.trinity["model"] = {"model_path": "/models/none"}
    problem = the_one(sandbox.problems(model_path=...))
    assert "model.model_path: there is nothing at '/models/none'" in problem.message
    assert "model_path" in problem.fix


def test_a_name_of_a_hub_is_no_path(sandbox):
    sandbox.trinity["model"] = {"model_path": "Qwen/Qwen2.5-1.5B-Instruct"}
    sandbox.trinity["buffer"]["explorer_input"]["taskset"]["path"] = "openai/gsm8k"
    assert [problem for problem in sandbox.problems(model_path=...) if problem.severity == "error"] == []


def test_a_taskset_that_is_not_there_is_named(sandbox):
    problem = the_one(sandbox.problems(overrides={"buffer": {"explorer_input": {"taskset": {"path": "/data/none"}}}}))
    assert "there is nothing at '/data/none'" in problem.message
    assert problem.where.line == line_of(sandbox.path, "path: /data/none")


def test_a_variable_in_a_path_is_followed(sandbox, monkeypatch):
    sandbox.trinity["model"] = {"model_path": "${oc.env:TRINITY_MODEL_PATH,/models/default}"}
    assert "'/models/default'" in the_one(sandbox.problems(model_path=...)).message
    monkeypatch.setenv("TRINITY_MODEL_PATH", str(sandbox.stand_in.model))
    assert [problem for problem in sandbox.problems(model_path=...) if problem.severity == "error"] == []


def test_a_taskset_that_is_a_file_is_refused_because_trinity_takes_folders(sandbox):
    file = str(sandbox.folder / "taskset" / "train.jsonl")
    problem = the_one(sandbox.problems(overrides={"buffer": {"explorer_input": {"taskset": {"path": file}}}}))
    assert "takes folders only" in problem.message
    assert "taskset_paths" in problem.fix


def test_rollout_that_leaves_no_gpu_for_training_is_refused(sandbox):
    changes = {
        "cluster": {"node_num": 1, "gpu_per_node": 4},
        "explorer": {"rollout_model": {"engine_num": 2, "tensor_parallel_size": 2}},
    }
    assert "rollout takes 4 of the 4 GPUs" in the_one(sandbox.problems(overrides=changes)).message


def test_fewer_gpus_than_the_config_wants_would_be_waited_for_without_an_end(sandbox):
    cluster = {"cluster": {"node_num": 1, "gpu_per_node": 4}}
    problem = the_one(sandbox.problems(overrides=cluster, num_gpus=2))
    assert "'num_gpus' reserves 2 for a training, and the Trinity config wants 4" in problem.message
    assert problem.where.line == line_of(sandbox.path, "num_gpus")


@pytest.mark.parametrize("launcher", [None, "local", {"type": "local", "max_parallel": 2}])
def test_more_gpus_than_the_machine_has_are_named_before_anything_is_run(sandbox, monkeypatch, launcher):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    extra = {} if launcher is None else {"launcher": launcher}
    problem = the_one(sandbox.problems(num_gpus=3, **extra))
    assert "'num_gpus' is 3, and this machine has 1 GPU" in problem.message
    assert problem.where.line == line_of(sandbox.path, "num_gpus")
    sandbox.trinity["cluster"] = {"node_num": 1, "gpu_per_node": 4}
    problem = the_one(sandbox.problems(**extra))
    assert "a training by this config takes 4 GPUs, and this machine has 1 GPU" in problem.message
    assert f"trinity.yaml:{line_of(sandbox.folder / 'trinity.yaml', 'gpu_per_node')}: " in problem.message


def test_gpus_of_another_ray_are_not_those_of_this_machine(sandbox, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    sandbox.trinity["cluster"] = {"node_num": 1, "gpu_per_node": 4}
    keys = {"start_ray": False, "ray_address": "10.0.0.7:6379", "num_gpus": 0}
    assert [one for one in sandbox.problems(**keys) if one.severity == "error"] == []


def test_a_machine_without_a_gpu_is_an_error_where_we_install_trinity_and_a_warning_where_the_environment_is_the_users(
    sandbox, monkeypatch
):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    [theirs] = [one for one in sandbox.problems() if "needs a GPU" in one.message]
    [ours] = [one for one in sandbox.problems(env_manager="venv", env_params={}) if "needs a GPU" in one.message]
    assert (theirs.severity, ours.severity) == ("warning", "error")
    assert ours.where.line


def test_a_ray_of_our_own_has_one_node(sandbox):
    assert "has 2 nodes" in the_one(sandbox.problems(overrides={"cluster": {"node_num": 2, "gpu_per_node": 4}})).message


def test_colocate_is_for_one_gpu(sandbox):
    changes = {"mode": "colocate", "cluster": {"node_num": 1, "gpu_per_node": 2}}
    assert "for a single GPU" in the_one(sandbox.problems(overrides=changes)).message


@pytest.mark.parametrize(
    ("overrides", "fix"),
    [
        ({"checkpoint_root_dir": "/x"}, "checkpoint_root_dir"),
        ({"continue_from_checkpoint": True}, "continue_from_checkpoint"),
        ({"cluster": {"ray_address": "auto"}}, "ray_address"),
        ({"ray_namespace": "n"}, "leave it out"),
    ],
)
def test_what_the_job_decides_itself_cannot_be_overridden(sandbox, overrides, fix):
    assert fix in the_one(sandbox.problems(overrides=overrides)).fix


def test_to_continue_needs_a_place_that_stays(sandbox):
    assert the_one(sandbox.problems(continue_from_checkpoint=True)).fix == "set 'checkpoint_root_dir'"


def test_a_ray_of_ones_own_and_another_are_two(sandbox):
    assert "ray_address" in the_one(sandbox.problems(ray_address="127.0.0.1:6379")).message


def test_an_empty_list_of_tasksets_is_refused(sandbox):
    assert "nothing would be trained" in the_one(sandbox.problems(taskset_paths=[])).message


def test_tasksets_do_not_go_with_a_list_of_tasksets_or_stages(sandbox):
    pool = str(sandbox.folder / "taskset" / "train.jsonl")
    sandbox.trinity["buffer"]["explorer_input"] = {"tasksets": [{"path": str(sandbox.folder / "taskset")}]}
    assert "has a list, 'tasksets'" in the_one(sandbox.problems(taskset_paths=[pool])).message
    sandbox.trinity["buffer"]["explorer_input"] = {}
    sandbox.trinity["stages"] = [{"stage_name": "one"}]
    assert "has 'stages'" in the_one(sandbox.problems(taskset_paths=[pool])).message


def test_a_checkpoint_folder_in_trinitys_file_is_not_used_and_that_is_said(sandbox):
    sandbox.trinity["checkpoint_root_dir"] = "/data/checkpoints"
    [warning] = [one for one in sandbox.problems() if "decides where checkpoints go" in one.message]
    assert warning.severity == "warning"
    assert "checkpoint_root_dir: /data/checkpoints" in warning.fix
    assert [one for one in sandbox.problems(checkpoint_root_dir="./c") if "decides where" in one.message] == []


def test_a_home_that_is_no_checkout_is_refused_at_its_line(sandbox):
    problem = the_one(sandbox.problems(trinity_home=str(sandbox.folder)))
    assert f"'{sandbox.folder}' is no checkout of Trinity-RFT: it has no pyproject.toml" in problem.message
    assert problem.where.line == line_of(sandbox.path, "trinity_home")


def test_a_home_that_is_not_there_is_told_once_at_its_line(sandbox):
    problem = the_one(sandbox.problems(trinity_home="/nowhere/Trinity-RFT"))
    assert "'/nowhere/Trinity-RFT' does not exist" in problem.message
    assert problem.where.line == line_of(sandbox.path, "trinity_home")


def test_an_unknown_key_of_the_job_is_refused_with_the_nearest(sandbox):
    assert "trinity_config_path" in the_one(sandbox.problems(trinity_confg_path="x")).fix


def test_what_only_trinity_can_find_is_found_before_ray_is_started(sandbox, no_head_is_left):
    from djsandbox import JobFailed

    sandbox.trinity["buffer"]["total_steps"] = "many"
    with pytest.raises(JobFailed) as caught:
        sandbox.run()
    assert "Value 'many' of type 'str' could not be converted to Integer" in str(caught.value)
    assert "Ray head of our own" not in sandbox.log()


def test_an_environment_without_trinity_is_named(sandbox, tmp_path):
    from djsandbox import JobFailed

    (tmp_path / "env" / "bin").mkdir(parents=True)
    (tmp_path / "env" / "bin" / "python").symlink_to(sandbox.stand_in.env / "bin" / "python")
    with pytest.raises(JobFailed, match="has no program"):
        sandbox.run(env_params={"path": str(tmp_path / "env")})


def test_lines_are_found_in_nested_lists(sandbox):
    sandbox.trinity["buffer"]["explorer_input"] = {
        "tasksets": [{"path": str(sandbox.folder / "taskset")}, {"path": "/data/none"}]
    }
    problem = the_one(sandbox.problems())
    text = (sandbox.folder / "trinity.yaml").read_text()
    assert yaml.safe_load(text)
    assert f"trinity.yaml:{line_of(sandbox.folder / 'trinity.yaml', '/data/none')}: " in problem.message
