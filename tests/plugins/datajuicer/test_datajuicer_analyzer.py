"""An analysis watches its statistics and returns a file that it wrote."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from djsandbox import DECIDED_AT_RUN
from djsandbox_datajuicer.analyzer import DJAnalyzer

pytestmark = pytest.mark.usefixtures("data_juicer")
Read = Callable[[str], list[dict[str, Any]]]


def analysis(workplace: Any, texts: Any, **changed: Any) -> Any:
    config = {
        "dataset_path": workplace.dataset(texts),
        "export_path": workplace.out(),
        "process": [{"text_length_filter": {"min_len": 1000}}, {"words_num_filter": None}],
    }
    return workplace.job(DJAnalyzer, **{**config, **changed})


def test_the_overall_statistics_are_watched_as_plain_numbers(workplace: Any, texts: Any) -> None:
    job = analysis(workplace, texts)
    job.run()
    (seen,) = job.watcher.values
    lengths = [len(row["text"]) for row in texts]
    assert set(seen) == {"text_len", "num_words"}
    assert seen["text_len"]["mean"] == pytest.approx(statistics.fmean(lengths))
    assert seen["text_len"]["std"] == pytest.approx(statistics.stdev(lengths))
    assert (seen["text_len"]["min"], seen["text_len"]["max"]) == (min(lengths), max(lengths))
    assert {"25%", "50%", "75%", "count"} <= set(seen["text_len"])
    assert all(type(value) is float for measures in seen.values() for value in measures.values())


def test_what_is_not_a_number_is_not_watched(workplace: Any, texts: Any, language_model: Path) -> None:
    job = analysis(workplace, texts[:1], process=[{"language_id_score_filter": {"lang": "zh"}}])
    job.run()
    (seen,) = job.watcher.values
    assert set(seen["lang_score"]) == {"count", "mean", "min", "25%", "50%", "75%", "max"}  # one row has no std
    assert set(seen["lang"]) == {"count"}


def test_without_exported_rows_the_result_is_the_statistics_in_the_folder_of_the_job(
    workplace: Any, texts: Any, rows_of: Read
) -> None:
    job = analysis(workplace, texts)
    assert job.output_paths() == []
    assert job.planned_outputs() is DECIDED_AT_RUN
    result = job.run()
    assert Path(result).parent == job.work_dir
    assert [row["__dj__stats__"]["text_len"] for row in rows_of(result)] == [len(row["text"]) for row in texts]
    assert not Path(workplace.out()).exists()


def test_with_exported_rows_the_result_is_export_path_with_all_rows(workplace: Any, texts: Any, rows_of: Read) -> None:
    job = analysis(workplace, texts, export_original_dataset=True)
    assert job.output_paths() == [workplace.out()]
    assert job.planned_outputs() == job.run() == workplace.out()
    rows = rows_of(workplace.out())
    assert [{"text": row["text"], "meta": row["meta"]} for row in rows] == texts
    assert rows[0]["__dj__stats__"] == {"text_len": len(texts[0]["text"]), "num_words": len(texts[0]["text"].split())}


def test_two_analyses_of_one_recipe_do_not_overwrite_each_other(workplace: Any, texts: Any, rows_of: Read) -> None:
    before = analysis(workplace, texts).run()
    after = analysis(workplace, texts[:5]).run()
    assert before != after
    assert (len(rows_of(before)), len(rows_of(after))) == (40, 5)


def test_statistics_that_came_with_the_data_are_not_believed(workplace: Any, texts: Any) -> None:
    lying = [{**row, "__dj__stats__": {"text_len": 1}} for row in texts]
    job = analysis(workplace, lying)
    job.run()
    assert job.watcher.values[0]["text_len"]["max"] == max(len(row["text"]) for row in texts)


def test_pictures_are_drawn_where_they_are_asked_for(workplace: Any, texts: Any) -> None:
    plain = analysis(workplace, texts)
    plain.run()
    assert not list(plain.work_dir.rglob("*.png"))
    drawn = analysis(workplace, texts, save_stats_in_one_file=True)
    drawn.run()
    assert [path.name for path in (drawn.work_dir / "analysis").glob("all*.png")] == ["all-stats.png"]
