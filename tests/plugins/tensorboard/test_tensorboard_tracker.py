"""The TensorBoard tracker: what it writes is read back by TensorBoard itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox import hookimpl
from djsandbox.errors import ConfigError

pytest.importorskip("tensorboard", reason="TensorBoard's own reader")

Lab = Callable[..., Path]

PARTS = '''
from djsandbox import BaseProbe, ComponentConfig


class Measure(BaseProbe):
    """Says how a loss falls."""

    class Config(ComponentConfig):
        x: float = 2.0
        api_key: str = ""

    def run(self):
        for step in range(1, 4):
            self.watcher.watch({"loss": self.config.x / step}, step=step)
        self.watcher.watch({"label": f"Bearer {self.config.api_key}", "accuracy": 0.5})
        self.watcher.watch_table("Pools", ["pool", "score"], [["a|b", 1], ["c", None]], ["two of them"])
        return {"square": self.config.x ** 2, "many": list(range(100)), "name": "n"}
'''


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """Writes a config with one job, with these further lines; its folder is the current directory."""
    monkeypatch.delenv("DJSANDBOX_TRACKERS", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "measure.py").write_text(PARTS)

    def write(*lines: str, extra: str = "x: 2.0") -> Path:
        block = f"{{type: './measure.py:Measure', {extra}}}"
        job = f"{{hook: GeneralProbeHook, meta_name: measure, output: [found], extra_configs: {block}}}"
        file = tmp_path / "sandbox.yaml"
        file.write_text(
            "\n".join(["work_dir: out", *lines, "pipelines:", "  demo:", "    probe_job_configs:", f"      - {job}"])
        )
        return file

    return write


class Read:
    """A folder of event files, as TensorBoard's own reader sees it."""

    def __init__(self, folder: str | Path) -> None:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        self.found = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
        self.found.Reload()

    def scalars(self, tag: str) -> list[tuple[int, float]]:
        return [(event.step, round(event.value, 6)) for event in self.found.Scalars(tag)]

    def text(self, tag: str) -> str:
        return self.found.Tensors(f"{tag}/text_summary")[-1].tensor_proto.string_val[0].decode()


def test_metrics_are_scalars_over_their_steps_and_texts(lab: Lab) -> None:
    djsandbox.run(lab("tracker: tensorboard"))

    read = Read("out/tensorboard/run_0001")
    assert read.scalars("measure/loss") == [(1, 2.0), (2, 1.0), (3, 0.666667)]
    assert read.scalars("measure/accuracy") == [(1, 0.5)]
    assert read.text("measure/label") == "Bearer "


def test_outputs_tables_and_configs_are_there(lab: Lab) -> None:
    djsandbox.run(lab("tracker: tensorboard", "experiment_name: first"))

    read = Read("out/tensorboard/run_0001")
    assert read.scalars("context/demo.measure.found.square") == [(1, 4.0)]
    assert [tag for tag in read.found.Tags()["scalars"] if "many" in tag] == []
    assert read.text("tables/Pools") == "| pool | score |\n| --- | --- |\n| a\\|b | 1 |\n| c |  |\n\ntwo of them"
    assert '"experiment_name": "first"' in read.text("config/sandbox")
    assert '"square": 4.0' in read.text("context/whole")


def test_each_iteration_has_its_own_steps_and_outputs_run_over_all(lab: Lab) -> None:
    djsandbox.run(lab("tracker: tensorboard", "max_iter_num: 2"))

    assert Read("out/tensorboard/run_0001").scalars("measure/loss") == [(1, 2.0), (2, 1.0), (3, 0.666667)]
    assert Read("out/tensorboard/run_0001/iter_2").scalars("measure/loss") == [(1, 2.0), (2, 1.0), (3, 0.666667)]
    assert Read("out/tensorboard/run_0001").scalars("context/demo.measure.found.square") == [(1, 4.0), (2, 4.0)]
    assert Read("out/tensorboard/run_0001").scalars("measure/accuracy") == [(1, 0.5), (2, 0.5)]


def test_no_secret_is_written(lab: Lab) -> None:
    djsandbox.run(lab("tracker: tensorboard", extra="api_key: sk-very-secret"))

    files = [path for path in Path("out/tensorboard").rglob("*") if path.is_file()]
    assert files and not [path for path in files if b"sk-very-secret" in path.read_bytes()]
    assert Read("out/tensorboard/run_0001").text("measure/label") == "Bearer ***"


def test_it_says_where_to_point_tensorboard_to(lab: Lab) -> None:
    said: list[str] = []

    class Notices:
        @hookimpl
        def djsandbox_notice(self, text: str) -> None:
            said.append(text)

    djsandbox.run(lab("tracker: {type: tensorboard, log_dir: logs of all}"), plugins={"notices": Notices()})

    assert said == ["TensorBoard: tensorboard --logdir 'logs of all'"]
    assert Read("logs of all/run_0001").scalars("measure/accuracy") == [(1, 0.5)]


def test_a_run_never_writes_into_the_folder_of_another(lab: Lab) -> None:
    djsandbox.run(lab("tracker: {type: tensorboard, log_dir: logs}"))
    djsandbox.run(lab("tracker: {type: tensorboard, log_dir: logs}"), work_dir="elsewhere")

    assert sorted(os.listdir("logs")) == ["run_0001", "run_0001_2"]


@pytest.mark.slow
def test_trials_lie_with_their_sweep_and_say_their_parameters(lab: Lab) -> None:
    file = lab("hpo_config: sweep.yaml", "tracker: tensorboard")
    name = "demo.measure.extra_configs.x"
    text = f"method: grid\nmetric: {{name: demo.measure.found.square}}\nparameters: {{{name}: {{values: [1.0, 3.0]}}}}\n"
    Path("sweep.yaml").write_text(text)

    djsandbox.run(file)

    assert sorted(os.listdir("out/tensorboard")) == ["run_0001", "trial_1_run_0001", "trial_2_run_0001"]
    read = Read("out/tensorboard/trial_2_run_0001")
    assert read.scalars("context/demo.measure.found.square") == [(1, 9.0)]
    parameters = Read("out/tensorboard/trial_2_run_0001/parameters")
    assert parameters.scalars("context/demo.measure.found.square") == [(0, 9.0)]
    assert name.encode() in parameters.found.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    assert Read("out/tensorboard/run_0001").scalars("sweep/value") == [(1, 1.0), (2, 9.0)]


def test_an_unknown_option_is_refused_with_its_place(lab: Lab) -> None:
    with pytest.raises(ConfigError, match=r"sandbox.yaml:2: unknown key 'logdir'\s+did you mean 'log_dir'"):
        djsandbox.validate(lab("tracker: {type: tensorboard, logdir: x}"))


def test_a_log_dir_that_can_be_no_folder_is_found_before_the_run(lab: Lab) -> None:
    for given in ("measure.py", "measure.py/logs"):
        with pytest.raises(ConfigError, match=r"sandbox.yaml:2: 'measure.py' is a file, but log_dir must be a folder"):
            djsandbox.validate(lab(f"tracker: {{type: tensorboard, log_dir: {given}}}"))


def test_validate_imports_nothing_heavy(lab: Lab) -> None:
    file = lab("tracker: tensorboard")
    code = (
        "import sys, djsandbox; djsandbox.validate(sys.argv[1]); "
        "print([name for name in ('tensorboardX', 'numpy', 'google.protobuf') if name in sys.modules])"
    )
    done: Any = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
