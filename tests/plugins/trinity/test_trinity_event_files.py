"""The numbers in TensorBoard's event files, and that they are Trinity's results."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import pytest
from djsandbox import ComponentError
from djsandbox_trinity.event_files import read_events
from djsandbox_trinity.monitor import Record
from djsandbox_trinity.reports import read_records
from djsandbox_trinity.testing.event_files import EventFile
from djsandbox_trinity.trainer import check_losses

REAL = Path(__file__).parent / "real" / "events.out.tfevents.1795402140.host.1.0"


def test_what_torch_has_written_is_read():
    first, second, third = read_events(REAL)
    assert (first.step, second.step, third.step) == (1, 2, 3)
    assert math.isnan(first.metrics["actor/grad_norm"])
    assert second.metrics == {
        "actor/final_loss": pytest.approx(1 / 3, abs=1e-8),
        "actor/lr": 1e-6,  # and not 9.999999974752427e-07, as which a single-precision number is read
        "actor/grad_norm": 0.5,
        "critic/rewards/mean": pytest.approx(0.246913578, abs=1e-8),
        "perf/throughput": 1234567.0,
        "training/global_step": 2.0,
    }


def test_what_another_writer_has_written_is_read_and_texts_and_histograms_are_passed_over(tmp_path):
    writer_of = pytest.importorskip("tensorboardX").SummaryWriter
    writer = writer_of(str(tmp_path))
    for step in (1, 300, 70_000):
        writer.add_text("prompt", "how much?", step)
        writer.add_histogram("weights", [1.0, 2.0], step)
        for key, value in {"a/b": 0.1 * step, "worst": -math.inf, "small": -1.5e-38, "large": 3.4028235e38}.items():
            writer.add_scalar(key, value, step)
    writer.close()
    (path,) = tmp_path.iterdir()
    records = list(read_events(path))
    assert [record.step for record in records] == [1, 300, 70_000]
    assert records[1].metrics == {"a/b": 30.0, "worst": -math.inf, "small": -1.5e-38, "large": 3.4028235e38}


def test_the_stand_in_writes_what_tensorboard_can_read(tmp_path):
    """Its own classes read the events, and its own checksums are those in the file."""
    protos, crc = pytest.importorskip("tensorboardX.proto.event_pb2"), pytest.importorskip("tensorboardX.record_writer")
    EventFile(tmp_path).write(300, {"a/b": 0.25, "c": 1.0})
    (path,) = tmp_path.iterdir()
    data, events = path.read_bytes(), []
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        record, data = data[: 16 + length], data[16 + length :]
        assert record[8:12] == struct.pack("<I", crc.masked_crc32c(record[:8]))
        assert record[12 + length :] == struct.pack("<I", crc.masked_crc32c(record[12 : 12 + length]))
        events.append(protos.Event.FromString(record[12 : 12 + length]))
    assert events[0].file_version == "brain.Event:2"
    assert [(one.step, value.tag, value.simple_value) for one in events for value in one.summary.value] == [
        (300, "a/b", 0.25),
        (300, "c", 1.0),
    ]


def test_a_file_that_breaks_off_gives_what_is_whole(tmp_path):
    whole = REAL.read_bytes()
    broken = tmp_path / "events"
    numbers = []
    for size in range(len(whole)):
        broken.write_bytes(whole[:size])
        numbers.append(sum(len(record.metrics) for record in read_events(broken)))
    assert numbers == sorted(numbers)
    assert (numbers[0], numbers[-1]) == (0, 17)


def test_a_file_that_is_none_gives_nothing(tmp_path):
    (tmp_path / "events").write_bytes(b"\xff" * 200)
    assert list(read_events(tmp_path / "events")) == []


def test_what_the_event_files_lack_comes_from_the_logs(tmp_path):
    events = EventFile(tmp_path / "job" / "monitor" / "tensorboard" / "trainer")
    events.write(1, {"loss": 0.123456789})
    (tmp_path / "job" / "log").mkdir()
    lines = [f"INFO 11-22 16:27:39 [monitor.py:113] Step {step}: {{'loss': 0.123457}}\n" for step in (1, 2)]
    (tmp_path / "job" / "log" / "trainer.log").write_text("".join(lines))
    assert [record for record in read_records(tmp_path, {}) if record.metrics] == [
        Record(1, {"loss": 0.12345679}),
        Record(2, {"loss": 0.123457}),
    ]


def test_what_an_earlier_try_has_written_into_a_file_is_passed_over(tmp_path):
    folder = tmp_path / "monitor" / "tensorboard" / "trainer"
    events = EventFile(folder)
    events.write(1, {"loss": 2.0})
    (path,) = folder.iterdir()
    before = {str(path.relative_to(tmp_path)): path.stat().st_size}
    events.write(2, {"loss": 1.0})
    assert read_records(tmp_path, before) == [Record(2, {"loss": 1.0})]


def values(sandbox, name):
    return [(event["step"], event["value"]) for event in sandbox.journalled_metrics() if event["name"] == f"rft.train.{name}"]


def test_the_last_value_of_a_metric_is_that_of_the_event_file_and_not_the_shorter_one_of_the_line(sandbox):
    sandbox.run()
    reward = 1 - math.exp(-2)
    assert sandbox.metric("rft.train.critic/rewards/mean") == pytest.approx(reward, abs=5e-8)
    assert [step for step, _ in values(sandbox, "critic/rewards/mean")] == [1, 2, 3, 4, 4]
    assert values(sandbox, "critic/rewards/mean")[-2] == (4, float(f"{reward:.6g}"))
    assert [step for step, _ in values(sandbox, "actor/final_loss")] == [1, 2, 3, 4]


@pytest.mark.parametrize("monitor", ["wandb", "mlflow", "swanlab"])
def test_with_another_monitor_there_are_no_event_files_and_the_logs_have_the_metrics(sandbox, monitor):
    sandbox.run(overrides={"monitor": {"monitor_type": monitor}})
    assert not list((sandbox.folder / "work").rglob("events.out.tfevents.*"))
    assert sandbox.metric("rft.train.critic/rewards/mean") == float(f"{1 - math.exp(-2):.6g}")


def test_a_loss_that_is_nan_only_in_the_event_file_is_a_training_that_diverged(tmp_path):
    """As when Ray loses the line, and the disk is full before the log has it."""
    EventFile(tmp_path / "monitor" / "tensorboard" / "trainer").write(4, {"actor/kl_loss": math.nan})
    with pytest.raises(ComponentError, match="actor/kl_loss is nan at step 4"):
        check_losses(read_records(tmp_path, {}))
