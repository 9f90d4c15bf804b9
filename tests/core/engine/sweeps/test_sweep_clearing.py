"""A new sweep counts nothing that an old one left, and takes away only what that one made."""

from typing import Any

import djsandbox
import pytest
from djsandbox.errors import ConfigError, SandboxError

Lab = Any

MAX_LEN = "length_filter.max_len"
FOLDER = """        folder = Path(self.config.export_path)
        folder.mkdir(exist_ok=True)
        (folder / f"{most}.txt").write_text("abc")"""


def tries(*lengths: int) -> list[dict[str, Any]]:
    return [{MAX_LEN: length} for length in lengths]


@pytest.fixture
def folders(sweep_lab: Lab) -> Lab:
    """The metric is the number of files in an output folder; their names depend on the values."""
    written = "        Path(self.config.export_path).write_text(Path(self.config.dataset_path).read_text()[:most])"
    sweep_lab.edit(written, FOLDER, "parts.py")
    sweep_lab.edit("len(Path(self.config.dataset_path).read_text())", "len(os.listdir(self.config.dataset_path))", "parts.py")
    sweep_lab.edit("out/filtered.txt", "out/filtered")
    return sweep_lab


def files(lab: Lab) -> list[str]:
    return sorted(str(path.relative_to(lab.folder / "out")) for path in (lab.folder / "out").rglob("*") if path.is_file())


def test_the_files_of_old_trials_are_not_counted(folders: Lab) -> None:
    for lengths in ((1, 2), (3, 4)):
        folders.sweep(tries(*lengths))
        assert [one.value for one in folders.run().trials] == [1, 1]
    assert [file for file in files(folders) if file.startswith("filtered")] == [
        "filtered/trial_1/3.txt",
        "filtered/trial_2/4.txt",
    ]


def test_trials_beyond_the_new_number_are_gone_with_all_they_wrote(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(1, 2, 3))
    sweep_lab.run()
    sweep_lab.sweep(tries(4))
    sweep_lab.run(max_iter_num=1)
    assert [path.name for path in sweep_lab.work_dir.glob("trial_*")] == ["trial_1"]
    assert files(sweep_lab) == ["trial_1/analysed.txt", "trial_1/filtered.txt"]
    assert [path.name for path in (sweep_lab.folder / "out").iterdir()] == ["trial_1"]


def test_contexts_of_iterations_that_a_trial_no_longer_has_are_gone(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(1))
    sweep_lab.run(max_iter_num=3)
    sweep_lab.run(max_iter_num=2)
    contexts = (sweep_lab.work_dir / "trial_1" / "context").glob("iter_*.json")
    assert sorted(path.name for path in contexts) == ["iter_1.json", "iter_2.json"]


def test_a_new_sweep_that_fails_leaves_no_best_config_and_no_context_of_the_old_one(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(1))
    sweep_lab.run()
    fail = "anonymous.score.extra_configs.fail"
    sweep_lab.sweep([{fail: True}], parameters={fail: {"values": [True]}})
    with pytest.raises(SandboxError):
        sweep_lab.run()
    assert not (sweep_lab.work_dir / "best.yaml").exists()
    assert not (sweep_lab.work_dir / "context_infos.json").exists()


def test_what_the_old_sweep_did_not_write_stays(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(1, 2))
    sweep_lab.run()
    out = sweep_lab.folder / "out"
    kept = [out / "trial_1" / "notes.txt", out / "trial_7" / "filtered.txt", out / "trial_2" / "filtered.txt"]
    kept.append(sweep_lab.work_dir / "trial_9" / "mine.txt")
    for file in kept:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("mine")
    sweep_lab.sweep(tries(3))
    sweep_lab.run()
    assert [file.read_text() for file in kept] == ["mine"] * 4
    assert not (out / "trial_2" / "analysed.txt").exists()


def test_what_the_new_sweep_reads_is_not_taken_away(sweep_lab: Lab) -> None:
    sweep_lab.sweep(tries(1, 5))
    best = sweep_lab.run()
    sweep_lab.edit("input: {extra_configs.dataset_path: anonymous.filter.path}\n    output: [value", "output: [value")
    inside = sweep_lab.work_dir.relative_to(sweep_lab.folder) / "trial_2" / "kept.txt"
    inside.write_text("abc")
    sweep_lab.edit("dataset_path: <input>}\n", f"dataset_path: {inside}}}\n")
    with pytest.raises(ConfigError, match=r"the sweep reads '.*kept.txt', and an earlier sweep in this work_dir made it"):
        sweep_lab.run()
    assert inside.exists()
    assert best.best_config.exists()
    assert djsandbox.run("sandbox.yaml", work_dir="outputs/other")
