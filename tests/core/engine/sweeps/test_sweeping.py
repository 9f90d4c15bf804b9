"""A sweep: trials in processes and folders of their own, what is the same made once, the best one's config at the end."""

from typing import Any

import djsandbox
import pytest
import yaml
from djsandbox.errors import SandboxError
from djsandbox.watch.watcher import SandboxWatcher

Lab = Any

MAX_LEN = "length_filter.max_len"
BONUS = "anonymous.score.extra_configs.bonus"

WAIT = """journal = Path("outputs/hello_world/journal.jsonl")
        while self.config.high and "trial_finished" not in journal.read_text():
            time.sleep(0.01)"""


def tries(*lengths: int) -> list[dict[str, Any]]:
    return [{MAX_LEN: length, BONUS: 0.5} for length in lengths]


def test_each_trial_runs_with_its_values_and_the_best_one_is_found(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2, 5, 3))
    result = sweep_lab.run()
    assert [(one.trial.number, one.status, one.value) for one in result.trials] == [
        (1, "done", 2.5), (2, "done", 5.5), (3, "done", 3.5),
    ]  # fmt: skip
    assert result.best.trial.values == {MAX_LEN: 5, BONUS: 0.5}


def test_an_analysis_whose_bounds_the_sweep_moves_runs_once(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2, 5, 3))
    sweep_lab.run()
    calls = sweep_lab.calls()
    assert calls.count("analyse") == 1
    assert [call for call in calls if call.startswith("filter")] == ["filter 2", "filter 5", "filter 3"]


def test_trials_at_the_same_time_share_what_one_of_them_is_making(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2, 5, 2, 5), sweeper={"parallel": 4})
    result = sweep_lab.run()
    assert sorted(one.value for one in result.trials if one.value) == [2.5, 2.5, 5.5, 5.5]
    calls = sweep_lab.calls()
    assert (calls.count("analyse"), calls.count("filter 2"), calls.count("filter 5")) == (1, 1, 1)


def test_what_a_shared_job_told_the_watcher_is_known_in_every_trial(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2, 5))
    sweep_lab.run()
    for number in (1, 2):
        watcher = SandboxWatcher(sweep_lab.work_dir / f"trial_{number}")
        assert watcher.query("analysis.length") == 6
        assert watcher.history("analysis.length") == [(None, 6)]


def test_each_trial_has_folders_of_its_own(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2, 5))
    sweep_lab.run()
    texts = {file.parent.name: file.read_text() for file in (sweep_lab.folder / "out").glob("*/filtered.txt")}
    assert texts == {"trial_1": "ab", "trial_2": "abcde"}
    assert not (sweep_lab.folder / "out" / "filtered.txt").exists()


def test_iterations_of_a_trial_lie_in_its_folder(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2))
    sweep_lab.run(max_iter_num=2)
    files = {str(file.relative_to(sweep_lab.folder)) for file in (sweep_lab.folder / "out").rglob("filtered.txt")}
    assert files == {"out/trial_1/iter_1/filtered.txt", "out/trial_1/iter_2/filtered.txt"}


def test_the_best_config_runs_as_it_is_and_gives_the_same_value(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2, 5, 3))
    best = sweep_lab.run().best_config
    result = djsandbox.run(best)
    assert result.context["anonymous"][-1]["value"] == 5.5
    assert (sweep_lab.folder / "out" / "filtered.txt").read_text() == "abcde"


def test_the_best_config_keeps_the_settings_of_the_command_line(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2, 5))
    best = sweep_lab.run(settings=["analysis.dj_configs.text=xyz"]).best_config
    result = djsandbox.run(best)
    assert result.context["anonymous"][-1]["value"] == 3.5
    assert (sweep_lab.folder / "out" / "filtered.txt").read_text() == "xyz"


def test_the_best_config_finds_files_beside_the_first_one(sweep_lab: Lab) -> None:
    sweep_lab.edit('    extra_configs: {type: "./parts.py:Score", dataset_path: <input>}', "    extra_configs: score.yaml")
    (sweep_lab.folder / "score.yaml").write_text('type: "./parts.py:Score"\ndataset_path: <input>\n')
    sweep_lab.sweep(tries(2, 5))
    best = sweep_lab.run().best_config
    assert djsandbox.run(best).context["anonymous"][-1]["value"] == 5.5


def test_the_context_of_a_sweep_is_that_of_its_best_trial(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2, 5, 3))
    sweep_lab.run()
    best = (sweep_lab.work_dir / "trial_2" / "context_infos.json").read_text()
    assert (sweep_lab.work_dir / "context_infos.json").read_text() == best


def test_the_table_shows_the_trials_best_first(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2, 5, 3))
    (table,) = sweep_lab.run().tables
    assert table.columns == ("trial", "status", "value", MAX_LEN)
    assert table.rows == ((2, "done", 5.5, 5), (3, "done", 3.5, 3), (1, "done", 2.5, 2))


def test_of_equal_trials_the_first_is_the_best_whichever_ended_first(sweep_lab: Lab) -> None:
    waits = "anonymous.score.extra_configs.high"
    sweep_lab.edit('note(f"score {os.getpid()}")', WAIT, "parts.py")
    sweep_lab.sweep([{waits: 1}, {waits: 0}], parameters={waits: {"values": [0, 1]}}, sweeper={"parallel": 2})
    result = sweep_lab.run()
    assert [one.trial.number for one in result.trials] == [2, 1]
    assert result.best.trial.number == result.tables[0].rows[0][0] == 1
    assert "trial 1," in result.best_config.read_text()


def test_the_watcher_of_a_sweep_has_each_trial_and_the_sweep_file(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2, 5))
    sweep_lab.run()
    watcher = SandboxWatcher(sweep_lab.work_dir)
    assert watcher.history("sweep.value") == [(1, 2.5), (2, 5.5)]
    assert watcher.configs()["sweep"]["metric"] == {"name": "anonymous.score.value", "goal": "maximize"}


def test_an_op_that_a_recipe_only_names_gets_its_arguments(sweep_lab: Lab) -> None:
    sweep_lab.edit("process: [{length_filter: {max_len: 100}}]}\nevaluation", "process: [length_filter]}\nevaluation")
    sweep_lab.sweep(tries(4))
    assert sweep_lab.run().best.value == 4.5


def test_a_failed_trial_does_not_end_the_sweep(sweep_lab: Lab) -> None:
    fail = "anonymous.score.extra_configs.fail"
    sweep_lab.sweep(
        [{fail: True, MAX_LEN: 6}, {fail: False, MAX_LEN: 2}],
        parameters={fail: {"values": [True, False]}, MAX_LEN: {"min": 1, "max": 6}},
    )
    result = sweep_lab.run()
    assert [(one.status, one.value) for one in result.trials] == [("failed", None), ("done", 2.0)]
    finished = [event for event in sweep_lab.journal() if event["event"] == "trial_finished"]
    assert "the disk is on fire" in finished[0]["error"]


def test_a_sweep_whose_first_trials_all_fail_is_given_up(sweep_lab: Lab) -> None:
    fail = "anonymous.score.extra_configs.fail"
    sweep_lab.sweep([{fail: True}] * 10, parameters={fail: {"values": [True, False]}})
    with pytest.raises(SandboxError, match=r"the first 3 trials failed, the last because of: .*the disk is on fire"):
        sweep_lab.run()


def test_the_values_of_a_sweep_reach_no_other_run(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2))
    sweep_lab.run()
    sweep_lab.edit("hpo_config: sweep.yaml\n", "")
    result = djsandbox.run("sandbox.yaml")
    assert result.context["anonymous"][-1]["value"] == 6


def test_secrets_of_the_config_stay_out_of_the_records_of_a_sweep(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2))
    best = sweep_lab.run(
        settings=["score.extra_configs.text=hush-hush-123", "analysis.dj_configs.process=[{x: {api_key: s3cr3t-value}}]"]
    )
    records = [*sweep_lab.work_dir.rglob("*.jsonl"), *sweep_lab.work_dir.rglob("*.log"), *sweep_lab.work_dir.rglob("*.json")]
    assert records
    assert not [file for file in records if "s3cr3t-value" in file.read_text()]
    assert "s3cr3t-value" in best.best_config.read_text()
    assert best.best_config.stat().st_mode & 0o077 == 0


def test_the_file_of_the_best_config_says_where_it_comes_from(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2, 5))
    text = sweep_lab.run().best_config.read_text()
    assert "trial 2, anonymous.score.value = 5.5" in text
    assert "hpo_config" not in yaml.safe_load(text)


def test_a_combination_that_a_component_refuses_is_a_failed_trial(sweep_lab: Lab) -> None:
    low, high = "anonymous.score.extra_configs.low", "anonymous.score.extra_configs.high"
    sweep_lab.sweep([{low: 2, high: 1}, {low: 1, high: 2}], parameters={low: {"values": [1, 2]}, high: {"values": [1, 2]}})
    result = sweep_lab.run()
    assert [one.status for one in result.trials] == ["failed", "done"]


def test_whatever_a_trial_prints_its_result_arrives(sweep_lab: Lab) -> None:
    noise = "anonymous.score.extra_configs.noise"
    texts = ["no end of line", '{"event": "metric"}\n', "\x00\r\r" + "x" * 70_000, '{"event": "ended", "value": 99}\n']
    sweep_lab.sweep(
        [{noise: text, MAX_LEN: 3} for text in texts], parameters={noise: {"values": texts}, MAX_LEN: {"min": 1, "max": 6}}
    )
    assert [one.value for one in sweep_lab.run().trials] == [3, 3, 3, 3]


def test_a_value_may_be_longer_than_an_environment_variable(sweep_lab: Lab) -> None:
    text = "anonymous.score.extra_configs.text"
    sweep_lab.sweep([{text: "x" * 200_000}], parameters={text: {"value": "x" * 200_000}})
    assert sweep_lab.run().best.value == 6


def test_a_work_dir_with_a_dot_holds_its_trials(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2, 5))
    sweep_lab.run(work_dir="outputs/qwen2.5")
    work_dir = sweep_lab.folder / "outputs" / "qwen2.5"
    assert sorted(path.name for path in work_dir.glob("trial_*")) == ["trial_1", "trial_2"]
    assert (work_dir / "context_infos.json").is_file()


def test_files_that_an_earlier_sweep_left_are_not_mixed_into_a_shared_folder(sweep_lab: Lab) -> None:
    sweep_lab.edit(
        "        Path(self.config.export_path).write_text(self.config.text)",
        """        folder = Path(self.config.export_path)
        folder.mkdir(exist_ok=True)
        for file in folder.iterdir():
            file.unlink()
        for letter in self.config.text:
            (folder / letter).write_text(letter)""",
        "parts.py",
    )
    sweep_lab.edit(
        "Path(self.config.dataset_path).read_text()[:most]",
        '"".join(sorted(file.name for file in Path(self.config.dataset_path).iterdir()))[:most]',
        "parts.py",
    )
    sweep_lab.edit("out/analysed.txt", "out/analysed")
    sweep_lab.sweep(tries(6, 6))
    assert [one.value for one in sweep_lab.run().trials] == [6.5, 6.5]
    sweep_lab.edit("export_path: out/analysed,", "export_path: out/analysed, text: ab,")
    assert [one.value for one in sweep_lab.run().trials] == [2.5, 2.5]
