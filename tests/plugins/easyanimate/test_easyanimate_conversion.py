from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox.errors import ComponentError
from djsandbox_easyanimate.conversion import DJToEasyAnimateVideoConversion
from djsandbox_easyanimate.rows import rows_of as read_rows

ROWS = [
    {"videos": ["/data/1.mp4", "/data/2.mp4"], "text": "<__dj__video> 一只猫 <|__dj__eoc|>", "__dj__stats__": {"score": 1}},
    {"videos": [], "text": "nothing"},
    {"videos": "/data/3.mp4", "text": "a dog"},
]
WRITINGS: dict[str, Callable[[list[dict[str, Any]]], str]] = {
    "list.json": json.dumps,
    "pretty.json": lambda rows: "\ufeff" + json.dumps(rows, indent=2),
    "lines.jsonl": lambda rows: "\n".join(json.dumps(row) for row in rows),
    "lines.json": lambda rows: "\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n",
    "list.jsonl": json.dumps,
}


def convert(path: Path, **changed: Any) -> Any:
    config = DJToEasyAnimateVideoConversion.Config(dataset_path=str(path), export_path=str(path.parent / "out"), **changed)
    return DJToEasyAnimateVideoConversion(config).run()


@pytest.mark.parametrize("name", WRITINGS)
def test_lists_and_lines_become_one_list_that_both_versions_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(WRITINGS[name](ROWS), encoding="utf-8")
    target = convert(path)
    assert target == str(tmp_path / "out" / f"{path.stem}_ea_fmt.json")
    first = {**ROWS[0], "text": "一只猫", "file_path": "/data/1.mp4", "type": "video"}
    second = {"videos": ["/data/3.mp4"], "text": "a dog", "file_path": "/data/3.mp4", "type": "video"}
    assert json.loads(Path(target).read_text(encoding="utf-8")) == [first, second]


def test_rows_larger_than_what_is_read_at_once_are_read_whole(tmp_path: Path) -> None:
    rows = [{"videos": ["a"], "text": "x" * size} for size in (10, 300_000, 70_000, 5)]
    path = tmp_path / "large.json"
    path.write_text(json.dumps(rows))
    assert list(read_rows(str(path))) == rows


def test_several_datasets_give_a_list_of_results(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.json"):
        (tmp_path / name).write_text(json.dumps(ROWS[2]))
    paths = [str(tmp_path / name) for name in ("a.jsonl", "b.json")]
    config = DJToEasyAnimateVideoConversion.Config(dataset_path=paths, export_path=str(tmp_path))
    made = DJToEasyAnimateVideoConversion(config)
    assert made.run() == made.output_paths() == [str(tmp_path / "a_ea_fmt.json"), str(tmp_path / "b_ea_fmt.json")]


def test_two_datasets_of_one_name_are_found_before_the_run() -> None:
    config = DJToEasyAnimateVideoConversion.Config(dataset_path=["x/a.jsonl", "y/a.json"], export_path="out")
    (finding,) = DJToEasyAnimateVideoConversion(config).check()
    assert "2 datasets would be written to out/a_ea_fmt.json" in finding.message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"text": "a"}', "row 1 of .* has no 'videos'"),
        ('{"videos": ["a"]}', "row 1 of .* has no text in 'text'"),
        ('{"videos": [], "text": "a"}', "no sample of .* has a video"),
        ('[{"videos": ["a"], "text": "a"}, {"videos"', "cannot be read"),
        ("[1]", "row 1 of .* is no mapping"),
        ("not json", "cannot be read"),
    ],
)
def test_what_cannot_be_converted_is_named_and_leaves_no_result(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "data.json"
    path.write_text(content)
    with pytest.raises(ComponentError, match=message):
        convert(path)
    assert not (tmp_path / "out" / "data_ea_fmt.json").exists()


def test_a_conversion_in_a_run_is_shared_by_later_runs(place: Any) -> None:
    extra = {
        "type": "dj_to_easyanimate_video_dataset_conversion",
        "dataset_path": str(place.tool.dataset),
        "export_path": "./out/",
    }
    config = place.config("GeneralDataExecutorHook", extra)
    result = djsandbox.run(config)
    assert result.context["anonymous"][0]["result"] == "./out/videos_ea_fmt.json"
    assert [job.action for job in djsandbox.plan(config, resume=True).jobs] == ["reuse"]
