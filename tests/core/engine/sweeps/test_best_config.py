"""The config of the best trial runs as it is, however the first one was written."""

from pathlib import Path
from typing import Any

import djsandbox
import pytest
import yaml
from djsandbox.config.document import read_document

Lab = Any

MAX_LEN = "length_filter.max_len"
SCORE = '    extra_configs: {type: "./parts.py:Score", dataset_path: <input>}'


def value_again(lab: Lab, **options: Any) -> float:
    """Run the sweep, and then the config of its best trial."""
    result = djsandbox.run(lab.run(**options).best_config)
    value: float = result.context["anonymous"][-1]["value"]
    return value


@pytest.fixture
def elsewhere(sweep_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs are started from a folder that is not the config's."""
    folder = Path(sweep_lab.folder / "elsewhere")
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def run_from(lab: Lab, elsewhere: Path) -> float:
    result = djsandbox.run(djsandbox.run("../sandbox.yaml").best_config)  # type: ignore[union-attr]
    value: float = result.context["anonymous"][-1]["value"]  # type: ignore[union-attr]
    return value


def test_a_text_of_several_lines_may_be_a_value(sweep_lab: Lab) -> None:
    text = "anonymous.score.extra_configs.text"
    sweep_lab.sweep([{text: "two\nlines: {"}], parameters={text: {"values": ["two\nlines: {"]}})
    assert value_again(sweep_lab) == 6


@pytest.mark.parametrize("text", ["3e-4", "1E5", "a\u2028b: {", "a\x85b: {", "a\u2029b: {", "\x00", "日本"])
def test_any_text_may_be_a_value_and_stays_one(sweep_lab: Lab, text: str) -> None:
    place = "anonymous.score.extra_configs.text"
    sweep_lab.sweep([{place: text}], parameters={place: {"values": [text]}})
    best = read_document(sweep_lab.run().best_config).data
    assert best["evaluation_job_configs"][0]["local"] == {"extra_configs.text": text}


def test_a_text_of_the_config_that_looks_like_a_number_stays_one(sweep_lab: Lab) -> None:
    sweep_lab.edit("dataset_path: <input>}\n", 'dataset_path: <input>, text: "3e-4"}\n')
    sweep_lab.sweep([{MAX_LEN: 3}])
    assert value_again(sweep_lab) == 3


def test_a_job_may_stand_in_a_file_of_its_own(sweep_lab: Lab, elsewhere: Path) -> None:
    text = (sweep_lab.folder / "sandbox.yaml").read_text()
    data = yaml.safe_load(text)
    (job,) = data["evaluation_job_configs"]
    (sweep_lab.folder / "jobs").mkdir()
    job["extra_configs"]["type"] = "../parts.py:Score"
    (sweep_lab.folder / "jobs" / "score.yaml").write_text(yaml.safe_dump(job))
    data["evaluation_job_configs"] = ["jobs/score.yaml"]
    (sweep_lab.folder / "sandbox.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    sweep_lab.sweep([{MAX_LEN: 3}, {MAX_LEN: 4}])
    assert run_from(sweep_lab, elsewhere) == 4


def test_pipelines_may_be_a_list(sweep_lab: Lab) -> None:
    data = yaml.safe_load((sweep_lab.folder / "sandbox.yaml").read_text())
    jobs = {key: data.pop(key) for key in list(data) if key.endswith("_job_configs")}
    data["pipelines"] = [{"anonymous": jobs}]
    (sweep_lab.folder / "sandbox.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    sweep_lab.sweep([{MAX_LEN: 3}, {MAX_LEN: 4}])
    assert value_again(sweep_lab) == 4


def test_files_beside_the_first_config_are_found_from_its_work_dir(sweep_lab: Lab, elsewhere: Path) -> None:
    recipe = "{export_path: out/filtered.txt, dataset_path: <input>, process: [length_filter]}"
    (sweep_lab.folder / "recipe.yaml").write_text(recipe)
    (sweep_lab.folder / "hooks.py").write_text(
        "from djsandbox.jobs.evaluate_data import EvaluateDataHook\n\n\nclass Mine(EvaluateDataHook):\n    pass\n"
    )
    sweep_lab.edit(
        "    dj_configs: {dataset_path: <input>, export_path: out/filtered.txt, process",
        "    local: {dj_configs: recipe.yaml}\n    dj_configs: {process",
    )
    sweep_lab.edit("hook: EvaluateDataHook", 'hook: "./hooks.py:Mine"')
    sweep_lab.edit("hpo_config:", "launcher: {type: local}\nhpo_config:")
    sweep_lab.sweep([{MAX_LEN: 3}, {MAX_LEN: 4}])
    assert run_from(sweep_lab, elsewhere) == 4


def test_a_class_given_on_the_command_line_is_found(sweep_lab: Lab) -> None:
    sweep_lab.sweep([{MAX_LEN: 3}, {MAX_LEN: 4}])
    assert value_again(sweep_lab, settings=["score.extra_configs.type=./parts.py:Score"]) == 4
