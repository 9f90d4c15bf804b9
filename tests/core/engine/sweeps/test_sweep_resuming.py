"""A sweep that was killed, interrupted or has ended goes on where it was, with the same number of trials."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox.errors import ConfigError

Lab = Any

MAX_LEN = "length_filter.max_len"


def tries(*lengths: int) -> list[dict[str, Any]]:
    return [{MAX_LEN: length} for length in lengths]


def ended(lab: Lab) -> list[int]:
    return [event["trial"] for event in lab.journal() if event["event"] == "trial_finished"]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for_the_end_of(pids: list[int]) -> None:
    while any(map(is_running, pids)):
        os.sched_yield()


def test_a_sweep_killed_at_once_leaves_no_process_and_ends_with_as_many_trials(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2, 5, 3, 4), sweeper={"parallel": 2})
    process = sweep_lab.start()
    pids = sweep_lab.scoring(process, 2)
    process.kill()
    process.communicate()
    wait_for_the_end_of(pids)
    sweep_lab.calls()
    (sweep_lab.folder / "hang").unlink()
    result = sweep_lab.run(resume=True)
    assert sorted((one.trial.number, one.value) for one in result.trials) == [(1, 2), (2, 5), (3, 3), (4, 4)]
    assert sorted(ended(sweep_lab)) == [1, 2, 3, 4]
    calls = sweep_lab.calls()
    assert calls.count("score") == 4
    assert "analyse" not in calls  # the two that were killed had come further than that
    assert sorted(call for call in calls if call.startswith("filter")) == ["filter 3", "filter 4"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_sweep_is_journalled_with_its_trials_and_goes_on_later(sweep_lab: Lab, number: signal.Signals) -> None:
    sweep_lab.sweep(tries(2, 5, 3))
    process = sweep_lab.start()
    pids = sweep_lab.scoring(process, 1)
    process.send_signal(number)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert not any(map(is_running, pids))
    assert [event["event"] for event in sweep_lab.journal()][-2:] == ["trial_interrupted", "run_finished"]
    assert sweep_lab.journal()[-1]["status"] == "interrupted"
    trial = (sweep_lab.work_dir / "trial_1" / "journal.jsonl").read_text()
    assert '"job_interrupted"' in trial
    (sweep_lab.folder / "hang").unlink()
    assert len(sweep_lab.run(resume=True).trials) == 3


def make_deaf(lab: Lab) -> None:
    """Let no trial end when it is asked to."""
    deaf = "import signal; [signal.signal(one, signal.SIG_IGN) for one in (signal.SIGINT, signal.SIGTERM)]"
    lab.edit('        note(f"score', f'        {deaf}\n        note(f"score', "parts.py")


def test_a_second_signal_ends_trials_at_once_that_are_deaf_and_have_a_long_grace(sweep_lab: Lab) -> None:
    make_deaf(sweep_lab)
    sweep_lab.edit("hpo_config: sweep.yaml", "hpo_config: sweep.yaml\nlauncher: {grace: 10000}")
    sweep_lab.sweep(tries(2, 5), sweeper={"parallel": 2})
    process = sweep_lab.start()
    pids = sweep_lab.scoring(process, 2)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=100)
    assert process.returncode == 130
    deadline = time.monotonic() + 100
    while any(map(is_running, pids)):
        assert time.monotonic() < deadline
        os.sched_yield()


def test_trials_that_have_ended_are_not_run_again(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2, 5))
    sweep_lab.run()
    sweep_lab.calls()
    result = sweep_lab.run(resume=True)
    assert [one.value for one in result.trials] == [2, 5]
    assert sweep_lab.calls() == ["open run_0001 after [1, 2]"]


def test_a_sweep_goes_on_when_more_trials_are_allowed(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2, 5, 6), run_cap=2)
    sweep_lab.run()
    sweep_lab.edit("run_cap: 2", "run_cap: 3", "sweep.yaml")
    result = sweep_lab.run(resume=True)
    assert [one.value for one in result.trials] == [2, 5, 6]
    assert result.best.trial.number == 3


def test_without_resume_a_new_sweep_begins_and_shares_nothing_with_the_old_one(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2, 5))
    sweep_lab.run()
    sweep_lab.calls()
    result = sweep_lab.run()
    assert len(result.trials) == 2
    calls = sweep_lab.calls()
    assert calls[0] == "open run_0002 after []"
    assert (calls.count("analyse"), calls.count("score")) == (1, 2)


def test_a_sweep_over_another_space_is_not_mixed_with_the_first(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2, 5))
    sweep_lab.run()
    sweep_lab.edit("max: 6", "max: 7", "sweep.yaml")
    with pytest.raises(ConfigError, match=r"sweep.yaml:\d+: the parameter 'length_filter.max_len' was changed since"):
        sweep_lab.run(resume=True)
    assert sweep_lab.run().run_id == "run_0002"


def test_a_sweep_of_a_changed_config_is_not_mixed_with_the_first(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2, 5))
    sweep_lab.run()
    sweep_lab.edit("{export_path: out/analysed.txt,", "{export_path: out/analysed.txt, text: other,")
    with pytest.raises(ConfigError, match="the config was changed since the sweep run_0001 began"):
        sweep_lab.run(resume=True)


def test_a_config_that_is_edited_while_its_sweep_runs_ends_it(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2, 5, 3))
    process = sweep_lab.start()
    sweep_lab.scoring(process, 1)
    sweep_lab.edit("{export_path: out/analysed.txt,", "{export_path: out/analysed.txt, text: other,")
    (sweep_lab.folder / "hang").unlink()
    _, errors = process.communicate()
    assert process.returncode == 2
    assert "sandbox.yaml was changed while its sweep was running" in errors


def edited_meanwhile(lab: Lab, before: str, after: str, name: str) -> str:
    """What a sweep says of an edit that is made while its first trial runs."""
    process = lab.start()
    lab.scoring(process, 1)
    lab.edit(before, after, name)
    (lab.folder / "hang").unlink()
    _, errors = process.communicate()
    assert process.returncode == 2
    assert "Traceback" not in errors
    return str(errors)


def test_code_that_is_edited_while_its_sweep_runs_ends_it(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2, 5, 3))
    errors = edited_meanwhile(sweep_lab, "+ self.config.bonus", "* 1000", "parts.py")
    assert "a component of anonymous/probe/0 was changed while its sweep was running" in errors
    assert ended(sweep_lab) == [1]


def test_data_that_is_edited_while_its_sweep_runs_ends_it(sweep_lab: Lab) -> None:
    data = "anonymous.score.extra_configs.dataset_path"
    (sweep_lab.folder / "one.txt").write_text("abcdef")
    (sweep_lab.folder / "other.txt").write_text("abc")
    sweep_lab.edit("input: {extra_configs.dataset_path: anonymous.filter.path}\n    output: [value", "output: [value")
    sweep_lab.sweep(
        [{data: "one.txt"}, {data: "one.txt"}, {data: "other.txt"}], parameters={data: {"values": ["one.txt", "other.txt"]}}
    )
    assert "'other.txt' was changed while its sweep was running" in edited_meanwhile(sweep_lab, "abc", "ab", "other.txt")
    assert ended(sweep_lab) == [1, 2]


def test_data_that_is_edited_while_its_trial_runs_ends_the_sweep(sweep_lab: Lab) -> None:
    (sweep_lab.folder / "data.txt").write_text("abcdef")
    sweep_lab.edit("input: {extra_configs.dataset_path: anonymous.filter.path}\n    output: [value", "output: [value")
    sweep_lab.edit("dataset_path: <input>}\n", "dataset_path: data.txt}\n")
    sweep_lab.sweep(tries(2))
    assert "'data.txt' was changed while its sweep was running" in edited_meanwhile(sweep_lab, "abc", "ab", "data.txt")
    assert ended(sweep_lab) == []


def test_a_job_may_write_into_the_folder_that_it_reads(sweep_lab: Lab) -> None:
    (sweep_lab.folder / "data").mkdir()
    (sweep_lab.folder / "data" / "text.txt").write_text("abcdef")
    sweep_lab.edit(
        "Path(self.config.dataset_path).read_text()", 'Path(self.config.dataset_path, "text.txt").read_text()', "parts.py"
    )
    sweep_lab.edit("    input: {dj_configs.dataset_path: anonymous.analysis.path}\n", "")
    sweep_lab.edit(
        "dataset_path: <input>, export_path: out/filtered.txt", "dataset_path: data, export_path: data/out/filtered.txt"
    )
    sweep_lab.edit(
        'return len(Path(self.config.dataset_path, "text.txt")', "return len(Path(self.config.dataset_path)", "parts.py"
    )
    sweep_lab.sweep(tries(2, 5))
    assert [one.value for one in sweep_lab.run().trials] == [2, 5]


def test_a_block_file_that_was_changed_keeps_its_sweep_from_going_on(sweep_lab: Lab) -> None:
    (sweep_lab.folder / "score.yaml").write_text('type: "./parts.py:Score"\ndataset_path: <input>\n')
    sweep_lab.edit(
        '    extra_configs: {type: "./parts.py:Score", dataset_path: <input>}', "    local: {extra_configs: score.yaml}"
    )
    sweep_lab.sweep(tries(2))
    sweep_lab.run()
    sweep_lab.edit("<input>", "<input>\nbonus: 100.0", "score.yaml")
    with pytest.raises(ConfigError, match=r"'score\.yaml' was changed since the sweep run_0001 began"):
        sweep_lab.run(resume=True)


def test_a_trial_keeps_what_it_had_finished_when_it_is_run_again(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2))
    process = sweep_lab.start()
    pids = sweep_lab.scoring(process, 1)
    process.kill()
    process.communicate()
    wait_for_the_end_of(pids)
    sweep_lab.calls()
    (sweep_lab.folder / "hang").unlink()
    sweep_lab.run(resume=True)
    assert [call for call in sweep_lab.calls() if not call.startswith(("open", "told"))] == ["score"]


def test_a_killed_trial_of_a_new_sweep_takes_nothing_from_the_sweep_before(sweep_lab: Lab) -> None:
    sweep_lab.sweep([{MAX_LEN: 2}, {MAX_LEN: 3}])
    sweep_lab.edit("dataset_path: <input>}", "dataset_path: <input>, random: true}")
    before = sweep_lab.run().trials[0].value
    sweep_lab.calls()
    process = sweep_lab.start()
    pids = sweep_lab.scoring(process, 1)
    process.kill()
    process.communicate()
    wait_for_the_end_of(pids)
    (sweep_lab.folder / "hang").unlink()
    assert sweep_lab.run(resume=True).trials[0].value != before


def test_a_sweep_whose_component_was_edited_is_not_mixed_with_the_first(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2, 5))
    sweep_lab.run()
    sweep_lab.edit('note(f"score {os.getpid()}")', 'note(f"score  {os.getpid()}")', "parts.py")
    with pytest.raises(ConfigError, match="a component of anonymous/evaluation/0 was changed since the sweep run_0001 began"):
        sweep_lab.run(resume=True)


def test_a_sweep_over_changed_data_is_not_mixed_with_the_first(sweep_lab: Lab) -> None:
    (sweep_lab.folder / "data.txt").write_text("abcdef")
    sweep_lab.edit("input: {extra_configs.dataset_path: anonymous.filter.path}\n    output: [value", "output: [value")
    sweep_lab.edit("dataset_path: <input>}\n", "dataset_path: data.txt}\n")
    sweep_lab.sweep(tries(2, 5))
    sweep_lab.run()
    (sweep_lab.folder / "data.txt").write_text("abc")
    with pytest.raises(ConfigError, match=r"'data\.txt' was changed since the sweep run_0001 began"):
        sweep_lab.run(resume=True)


def test_a_changed_method_is_named_with_its_line(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2, 5))
    sweep_lab.run()
    sweep_lab.edit("method: random", "method: bayes", "sweep.yaml")
    with pytest.raises(ConfigError, match=r"sweep.yaml:1: method was changed since the sweep run_0001 began"):
        djsandbox.plan("sandbox.yaml", resume=True)
    with pytest.raises(ConfigError, match=r"sweep.yaml:1: method was changed since the sweep run_0001 began"):
        djsandbox.validate("sandbox.yaml", resume=True)


def test_a_plan_says_how_many_trials_have_ended(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(2, 5, 6), run_cap=2)
    sweep_lab.run()
    assert djsandbox.plan("sandbox.yaml").ended == 0
    assert djsandbox.plan("sandbox.yaml", resume=True).ended == 2
