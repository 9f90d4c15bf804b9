"""Statistics of an analysis are used again where they hold, and only there; the results are the same."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from djsandbox_datajuicer.analyzer import DJAnalyzer
from djsandbox_datajuicer.executor import DJExecutor

pytestmark = pytest.mark.usefixtures("data_juicer")
Read = Callable[[str], list[dict[str, Any]]]

LENGTH = {"text_length_filter": {"min_len": 20, "max_len": 200}}
WORDS = {"words_num_filter": {"min_num": 4}}
REPEATED = {"character_repetition_filter": {"rep_len": 5, "max_ratio": 0.6}}
SHOUT = {"replace_content_mapper": {"pattern": "models", "repl": "enormous models"}}
PLAIN = [LENGTH, WORDS, REPEATED]


@pytest.fixture
def bench(workplace: Any, texts: Any, rows_of: Read) -> Any:
    """Analyses and processes; can falsify what an analysis left, so that its use shows."""

    class Bench:
        data = workplace.dataset(texts)

        def analyse(self, process: list[Any] = PLAIN, **more: Any) -> str:
            path = more.pop("export_path", workplace.out("analysed.jsonl"))
            job = workplace.job(DJAnalyzer, dataset_path=self.data, export_path=path, process=process, **more)
            return str(job.run())

        def process(self, process: list[Any] = PLAIN, *, afresh: bool = False, **more: Any) -> list[dict[str, Any]]:
            cache_dir = workplace.folder / "nothing here" if afresh else None
            config = {"dataset_path": self.data, "export_path": workplace.out(), "process": process, **more}
            return rows_of(workplace.job(DJExecutor, cache_dir=cache_dir, **config).run())

        def falsify(self, statistic: str, value: Any) -> None:
            (record,) = (workplace.cache_dir / "analyses").glob("*.jsonl")
            rows = rows_of(str(record))
            for row in rows:
                assert statistic in row["__dj__stats__"]
                row["__dj__stats__"][statistic] = value
            record.write_text("".join(json.dumps(row) + "\n" for row in rows))

    return Bench()


@pytest.mark.parametrize(
    "process",
    [PLAIN, [LENGTH, {"document_deduplicator": None}, WORDS], [LENGTH, SHOUT, WORDS, REPEATED], [SHOUT, *PLAIN]],
    ids=["filters", "deduplicator between", "mapper between", "mapper first"],
)
@pytest.mark.parametrize("keep_stats_in_res_ds", [False, True])
def test_the_result_is_the_same_with_and_without_an_analysis_before(
    bench: Any, process: list[Any], keep_stats_in_res_ds: bool
) -> None:
    bench.analyse(process)
    with_it = bench.process(process, keep_stats_in_res_ds=keep_stats_in_res_ds)
    without = bench.process(process, keep_stats_in_res_ds=keep_stats_in_res_ds, afresh=True)
    assert with_it == without
    assert 0 < len(with_it) < 40
    assert all(("__dj__stats__" in row) == keep_stats_in_res_ds for row in with_it)


def test_the_statistics_of_the_analysis_are_really_used(bench: Any) -> None:
    bench.analyse()
    assert bench.process()
    bench.falsify("text_len", 1)
    assert bench.process() == []


def test_they_are_used_with_other_bounds_too(bench: Any) -> None:
    bench.analyse()
    bench.falsify("text_len", 1)
    assert len(bench.process([{"text_length_filter": {"min_len": 1, "max_len": 1}}])) == 40


def test_they_are_used_where_the_dataset_is_the_analysed_file_itself(bench: Any) -> None:
    direct = bench.process()
    analysed = bench.analyse(export_original_dataset=True)
    assert bench.process(dataset_path=analysed) == direct
    bench.falsify("num_words", 0)
    assert bench.process(dataset_path=analysed) == []


def test_they_are_used_where_the_analysed_file_has_moved(bench: Any, workplace: Any) -> None:
    moved = Path(bench.analyse(export_original_dataset=True)).rename(workplace.folder / "moved.jsonl")
    bench.falsify("num_words", 0)
    assert bench.process(dataset_path=str(moved)) == []


def test_another_argument_that_shapes_a_statistic_makes_it_computed_again(bench: Any) -> None:
    bench.analyse()
    bench.falsify("char_rep_ratio", 1.0)
    assert bench.process([REPEATED]) == []
    other = [{"character_repetition_filter": {"rep_len": 6, "max_ratio": 0.6}}]
    assert bench.process(other) == bench.process(other, afresh=True) != []


def test_an_argument_spelled_out_as_its_default_changes_nothing(bench: Any) -> None:
    bench.analyse([{"character_repetition_filter": None}])
    bench.falsify("char_rep_ratio", 1.0)
    assert bench.process([{"character_repetition_filter": {"rep_len": 10, "max_ratio": 0.9}}]) == []


def test_another_text_key_makes_a_statistic_computed_again(bench: Any, workplace: Any, texts: Any) -> None:
    bench.data = workplace.dataset([{**row, "title": row["text"][:25]} for row in texts])
    bench.analyse([LENGTH])
    bench.falsify("text_len", 1)
    for process, more in (
        ([{"text_length_filter": {**LENGTH["text_length_filter"], "text_key": "title"}}], {}),
        ([LENGTH], {"text_keys": "title"}),
    ):
        assert bench.process(process, **more) == bench.process(process, afresh=True, **more) != []


def test_a_changed_dataset_makes_all_computed_again(bench: Any, workplace: Any, texts: Any) -> None:
    bench.analyse()
    bench.falsify("text_len", 1)
    stamp = Path(bench.data).stat()
    workplace.dataset([{**texts[0], "text": texts[0]["text"][::-1]}, *texts[1:]])
    os.utime(bench.data, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert Path(bench.data).stat().st_size == stamp.st_size
    assert bench.process() == bench.process(afresh=True) != []


def test_a_new_model_makes_computed_again_what_reads_models_and_nothing_else(bench: Any, language_model: Path) -> None:
    bench.analyse()
    bench.falsify("text_len", 1)
    bench.falsify("num_words", 0)
    new = language_model.with_name("new_model.bin")
    new.write_text("a model")
    try:
        assert bench.process([WORDS]) != []
        assert bench.process([LENGTH]) == []
    finally:
        new.unlink()


def test_an_edited_word_list_makes_its_statistic_computed_again(bench: Any, workplace: Any) -> None:
    flagged = [{"flagged_words_filter": {"flagged_words_dir": str(workplace.folder / "words"), "max_ratio": 0.0}}]
    words = workplace.folder / "words" / "flagged_words.json"
    words.parent.mkdir()
    words.write_text('{"en": ["absent"]}')
    stamp = words.stat()
    bench.analyse(flagged)
    assert len(bench.process(flagged)) == 40
    words.write_text('{"en": ["models"]}')
    os.utime(words, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert bench.process(flagged) == bench.process(flagged, afresh=True)
    assert len(bench.process(flagged)) < 40


def test_a_statistic_after_an_operator_that_changes_rows_is_computed_again(bench: Any) -> None:
    bench.analyse([SHOUT, LENGTH])
    bench.falsify("text_len", 1)
    assert bench.process([LENGTH]) == []
    assert bench.process([SHOUT, LENGTH]) == bench.process([SHOUT, LENGTH], afresh=True) != []


def test_statistics_that_came_with_the_data_are_not_believed(bench: Any, workplace: Any, texts: Any) -> None:
    honest = bench.process()
    bench.data = workplace.dataset([{**row, "__dj__stats__": {"text_len": 1, "num_words": 0}} for row in texts], "lying.jsonl")
    assert bench.process() == honest


def test_statistics_that_no_operator_of_the_recipe_computes_are_data_and_stay(bench: Any, workplace: Any, texts: Any) -> None:
    rows = [{**row, "__dj__stats__": {"text_len": 1, "video_aesthetic_score": row["meta"]["number"]}} for row in texts]
    bench.data = workplace.dataset(rows, "scored.jsonl")
    best = {"topk_specified_field_selector": {"field_key": "__dj__stats__.video_aesthetic_score", "topk": 5}}
    chosen = bench.process([best, {"text_length_filter": {"min_len": 2}}], keep_stats_in_res_ds=True)
    assert sorted(row["__dj__stats__"]["video_aesthetic_score"] for row in chosen) == [35, 36, 37, 38, 39]
    assert all(row["__dj__stats__"]["text_len"] == len(row["text"]) for row in chosen)


def test_hashes_that_came_with_the_data_are_not_believed(bench: Any, workplace: Any, texts: Any) -> None:
    unique = bench.process([{"document_deduplicator": None}])
    bench.data = workplace.dataset([{**row, "__dj__hash": "the same for all"} for row in texts], "hashed.jsonl")
    assert bench.process([{"document_deduplicator": None}]) == unique
    assert len(unique) > 1


def test_an_analysis_that_lost_rows_leaves_no_record(bench: Any, workplace: Any, texts: Any) -> None:
    rows = [{**row, "title": None if row["meta"]["number"] == 7 else row["text"]} for row in texts]
    bench.data = workplace.dataset(rows)
    process = [{"text_length_filter": {"text_key": "title", "batch_size": 1, "min_len": 20}}]
    assert len(Path(bench.analyse(process)).read_text().splitlines()) == 39
    assert not list(workplace.cache_dir.rglob("*.jsonl"))
    assert bench.process(process) == bench.process(process, afresh=True) != []
