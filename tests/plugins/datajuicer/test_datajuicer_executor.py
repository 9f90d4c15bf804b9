"""A recipe is processed into exactly its export_path."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from djsandbox import ComponentError
from djsandbox_datajuicer.executor import DJExecutor

pytestmark = pytest.mark.usefixtures("data_juicer")
Read = Callable[[str], list[dict[str, Any]]]


def test_the_rows_that_the_recipe_keeps_are_written_to_export_path(workplace: Any, texts: Any, rows_of: Read) -> None:
    job = workplace.job(
        DJExecutor,
        dataset_path=workplace.dataset(texts),
        export_path=workplace.out(),
        process=[{"text_length_filter": {"min_len": 30, "max_len": 60}}],
    )
    assert job.run() == workplace.out()
    assert rows_of(workplace.out()) == [row for row in texts if 30 <= len(row["text"]) <= 60]


def test_rows_before_and_after_each_operator_are_watched(workplace: Any, texts: Any, rows_of: Read) -> None:
    job = workplace.job(
        DJExecutor,
        dataset_path=workplace.dataset(texts),
        export_path=workplace.out(),
        process=[{"text_length_filter": {"min_len": 30}}, {"words_num_filter": {"max_num": 12}}],
    )
    kept = len(rows_of(job.run()))
    long_enough = sum(len(row["text"]) >= 30 for row in texts)
    (seen,) = job.watcher.values
    assert (seen["input_rows"], seen["output_rows"], seen["operator_errors"]) == (40, kept, 0)
    assert seen["left_after"] == {"1_text_length_filter": long_enough, "2_words_num_filter": kept}
    assert kept < long_enough < 40


def test_nothing_is_written_beside_the_users_data_and_the_result(workplace: Any, texts: Any) -> None:
    data = Path(workplace.dataset(texts, "given/data.jsonl"))
    workplace.job(DJExecutor, dataset_path=str(data), export_path=workplace.out(), process=[{"text_length_filter": None}]).run()
    assert list(data.parent.iterdir()) == [data]
    assert [path.name for path in Path(workplace.out()).parent.iterdir()] == ["out.jsonl"]


def test_a_path_with_spaces_is_one_path(workplace: Any, texts: Any, rows_of: Read) -> None:
    data = workplace.dataset(texts, "my 0.5 data/all rows.jsonl")
    job = workplace.job(
        DJExecutor, dataset_path=data, export_path=workplace.out("my result.jsonl"), process=[{"text_length_filter": None}]
    )
    assert len(rows_of(job.run())) == sum(len(row["text"]) >= 10 for row in texts)


def test_relative_paths_in_rows_are_relative_to_the_dataset(workplace: Any, rows_of: Read) -> None:
    data = workplace.dataset([{"text": "a picture", "images": ["pictures/one.png"]}], "given/data.jsonl")
    job = workplace.job(DJExecutor, dataset_path=data, export_path=workplace.out(), process=[{"clean_email_mapper": None}])
    assert rows_of(job.run())[0]["images"] == [str(Path(data).parent / "pictures" / "one.png")]


def test_an_empty_result_is_a_file_and_a_warning(workplace: Any, texts: Any, caplog: Any) -> None:
    job = workplace.job(
        DJExecutor,
        dataset_path=workplace.dataset(texts),
        export_path=workplace.out(),
        process=[{"text_length_filter": {"min_len": 10_000}}],
    )
    with caplog.at_level(logging.WARNING, "djsandbox.test"):
        assert Path(job.run()).read_text() == ""
    assert "keeps none of 40 rows" in caplog.text


def test_a_dataset_that_is_empty_is_an_error(workplace: Any) -> None:
    job = workplace.job(
        DJExecutor, dataset_path=workplace.dataset([]), export_path=workplace.out(), process=[{"text_length_filter": None}]
    )
    with pytest.raises(ComponentError, match="is empty"):
        job.run()


_FAILING = '''
from data_juicer.ops.base_op import OPERATORS, Mapper


@OPERATORS.register_module("{name}")
class Failing(Mapper):
    """Fails for some rows."""

    def process_single(self, sample):
        if {condition}:
            raise ValueError("this row is too much")
        return sample
'''


def failing(workplace: Any, name: str, condition: str) -> str:
    path = Path(workplace.folder) / f"{name}.py"
    path.write_text(_FAILING.format(name=name, condition=condition))
    return str(path)


def test_rows_that_a_failing_operator_lost_are_counted_and_warned_of(
    workplace: Any, texts: Any, rows_of: Read, caplog: Any
) -> None:
    own = failing(workplace, "fails_for_one_mapper", "sample['meta']['number'] == 7")
    job = workplace.job(
        DJExecutor,
        dataset_path=workplace.dataset(texts),
        export_path=workplace.out(),
        custom_operator_paths=[own],
        process=[{"fails_for_one_mapper": None}],
    )
    with caplog.at_level(logging.WARNING, "djsandbox.test"):
        assert [row["meta"]["number"] for row in rows_of(job.run())] == [number for number in range(40) if number != 7]
    assert job.watcher.values[0]["operator_errors"] == 1
    assert "this row is too much" in caplog.text


def test_an_operator_that_loses_all_rows_fails_the_job(workplace: Any, texts: Any) -> None:
    own = failing(workplace, "fails_for_all_mapper", "True")
    job = workplace.job(
        DJExecutor,
        dataset_path=workplace.dataset(texts),
        export_path=workplace.out(),
        np=2,
        custom_operator_paths=[own],
        process=[{"fails_for_all_mapper": None}],
    )
    with pytest.raises(ComponentError, match=r"nothing is left of 40 rows.*this row is too much"):
        job.run()
    assert not Path(workplace.out()).exists()


def test_an_own_operator_serves_two_jobs_of_one_process(workplace: Any, texts: Any, rows_of: Read) -> None:
    own = failing(workplace, "fails_never_mapper", "False")
    for name in ("first.jsonl", "second.jsonl"):
        job = workplace.job(
            DJExecutor,
            dataset_path=workplace.dataset(texts),
            export_path=workplace.out(name),
            custom_operator_paths=[own],
            process=[{"fails_never_mapper": None}],
        )
        assert rows_of(job.run()) == texts


def test_a_dataset_may_be_named_as_a_list_of_sources(workplace: Any, texts: Any, rows_of: Read) -> None:
    halves = [workplace.dataset(texts[:20], "a.jsonl"), workplace.dataset(texts[20:], "b.jsonl")]
    job = workplace.job(
        DJExecutor,
        dataset={"configs": [{"type": "local", "path": path} for path in halves]},
        export_path=workplace.out(),
        process=[{"text_length_filter": {"min_len": 0}}],
    )
    assert rows_of(job.run()) == texts
    assert list(job.referenced_files()) == halves


def test_statistics_are_kept_where_the_recipe_says_so(workplace: Any, texts: Any, rows_of: Read) -> None:
    job = workplace.job(
        DJExecutor,
        dataset_path=workplace.dataset(texts),
        export_path=workplace.out(),
        keep_stats_in_res_ds=True,
        process=[{"text_length_filter": {"min_len": 30}}],
    )
    assert all(row["__dj__stats__"] == {"text_len": len(row["text"])} for row in rows_of(job.run()))


def test_a_uniform_sample_is_a_share_of_the_rows_and_the_same_each_time(workplace: Any, texts: Any) -> None:
    job = workplace.job(DJExecutor, dataset_path=workplace.dataset(texts), export_path=workplace.out())
    sample = job.sample_data(0.25, "uniform")
    assert len(sample) == 10
    assert all(row in texts for row in sample)
    assert sample == job.sample_data(0.25, "uniform")


def test_samples_by_field_take_its_top_and_its_most_frequent_values(workplace: Any) -> None:
    rows = [{"text": "t", "meta": {"score": score, "source": "x" if score < 6 else f"s{score}"}} for score in range(10)]
    data = workplace.dataset(rows)
    top = workplace.job(DJExecutor, dataset_path=data, export_path=workplace.out(), data_probe_field="meta.score")
    best = top.sample_data(0.2, "topk_specified_field_selector")
    assert sorted(row["meta"]["score"] for row in best) == [8, 9]
    frequent = workplace.job(DJExecutor, dataset_path=data, export_path=workplace.out(), data_probe_field="meta.source")
    most = frequent.sample_data(0.2, "frequency_specified_field_selector")
    assert {row["meta"]["source"] for row in most} == {"x"}


@pytest.mark.parametrize(
    ("field", "remedy"),
    [
        ("nope", "known: meta, text"),
        ("metta", "did you mean 'meta'?"),
        ("meta.scores", "did you mean 'score'?"),
        ("text.len", "none"),
    ],
)
def test_a_field_to_sample_by_that_the_rows_lack_is_named(workplace: Any, field: str, remedy: str) -> None:
    data = workplace.dataset([{"text": "t", "meta": {"score": score}} for score in range(5)])
    job = workplace.job(DJExecutor, dataset_path=data, data_probe_field=field)
    with pytest.raises(ComponentError, match=f"the rows have no '{field}'") as caught:
        job.sample_data(0.2, "topk_specified_field_selector")
    assert remedy in str(caught.value)
