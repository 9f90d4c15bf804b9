"""The two conversions: what they write, that they stream, and that no row or pool leaks into another."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from djsandbox.errors import ComponentError
from djsandbox_internvl import rows as rows_module
from djsandbox_internvl.conversion import COCOCaptionToDJConversion as Conversion
from djsandbox_internvl.meta_generation import COCOCaptionMetaGeneration as MetaGeneration
from djsandbox_internvl.rows import read_rows


def row(at: int, **more: Any) -> dict[str, Any]:
    turns = [{"from": "human", "value": "<image>\nWhat is it?"}, {"from": "gpt", "value": f"caption {at} ü"}]
    return {"image": f"train2014/{at}.jpg", "conversations": turns, **more}


def lines(path: Path, rows: list[Any]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(one)}\n" for one in rows), encoding="utf-8")
    return str(path)


def listed(path: Path, rows: list[Any], **options: Any) -> str:
    path.write_text(json.dumps(rows, **options), encoding="utf-8")
    return str(path)


def run(component: Any, **config: Any) -> list[str]:
    return component(component.Config.model_validate(config)).run()


def read(path: str) -> list[Any]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("write", [lines, listed])
def test_a_row_gets_its_caption_as_text_and_its_image_in_a_list(write: Callable[..., str], tmp_path: Path) -> None:
    source = write(tmp_path / "coco.jsonl", [row(1, id=7), row(2)])
    (target,) = run(Conversion, dataset_path=source, export_path=str(tmp_path / "out"))
    assert Path(target) == tmp_path / "out" / "coco_dj_fmt.jsonl"
    first, second = read(target)
    assert first == {**row(1, id=7), "images": ["train2014/1.jpg"], "text": "<__dj__image> caption 1 ü"}
    assert second["text"] == "<__dj__image> caption 2 ü"


def test_images_can_be_given_absolutely(tmp_path: Path) -> None:
    source = lines(tmp_path / "coco.jsonl", [row(1)])
    (target,) = run(Conversion, dataset_path=source, export_path=str(tmp_path / "out"), images_root=str(tmp_path))
    assert read(target)[0]["images"] == [str(tmp_path / "train2014/1.jpg")] and read(target)[0]["image"] == "train2014/1.jpg"


def test_a_row_with_two_images_has_a_mark_for_each(tmp_path: Path) -> None:
    source = lines(tmp_path / "coco.jsonl", [{**row(1), "image": ["a.jpg", "b.jpg"]}])
    (target,) = run(Conversion, dataset_path=source, export_path=str(tmp_path / "out"))
    assert read(target)[0]["text"] == "<__dj__image> <__dj__image> caption 1 ü" and read(target)[0]["images"] == [
        "a.jpg",
        "b.jpg",
    ]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"conversations": []}, "no image"),
        ({"image": "a.jpg"}, "no answer"),
        ({"image": "a.jpg", "conversations": [{"from": "human", "value": "x"}]}, "no answer"),
        ("text", "no JSON object"),
    ],
)
def test_a_row_that_is_no_caption_is_named_with_its_line(bad: Any, said: str, tmp_path: Path) -> None:
    source = lines(tmp_path / "coco.jsonl", [row(1), bad])
    with pytest.raises(ComponentError, match=rf"coco\.jsonl:2.*{said}"):
        run(Conversion, dataset_path=source, export_path=str(tmp_path / "out"))
    assert not list((tmp_path / "out").glob("*"))


def test_files_of_one_name_in_two_folders_do_not_overwrite_each_other(tmp_path: Path) -> None:
    sources = [lines(tmp_path / name / "pool.jsonl", [row(at)]) for at, name in enumerate("ab")]
    targets = run(Conversion, dataset_path=sources, export_path=str(tmp_path / "out"))
    assert [Path(target).name for target in targets] == ["a_pool_dj_fmt.jsonl", "b_pool_dj_fmt.jsonl"]
    assert [read(target)[0]["image"] for target in targets] == ["train2014/0.jpg", "train2014/1.jpg"]


def test_each_meta_file_says_what_its_own_pool_is(tmp_path: Path) -> None:
    sources = [lines(tmp_path / f"pool_{size}.jsonl", [row(at) for at in range(size)]) for size in (3, 1, 2)]
    (tmp_path / "chat").mkdir()
    targets = run(
        MetaGeneration, dataset_path=sources, export_path=str(tmp_path / "metas"), data_root_path=str(tmp_path / "chat")
    )
    assert [Path(target).name for target in targets] == [f"pool_{size}_meta.json" for size in (3, 1, 2)]
    metas = [json.loads(Path(target).read_text()) for target in targets]
    assert metas[1] == {
        "pool_1": {
            "root": "data/coco/",
            "annotation": "../pool_1.jsonl",
            "data_augment": False,
            "repeat_time": 1,
            "length": 1,
        }
    }
    assert [next(iter(meta.values()))["length"] for meta in metas] == [3, 1, 2]
    assert len({next(iter(meta.values()))["annotation"] for meta in metas}) == 3


def test_a_json_list_becomes_json_lines_because_internvl_takes_nothing_else(tmp_path: Path) -> None:
    source = listed(tmp_path / "pool.json", [row(1), row(2)], indent=2)
    (target,) = run(
        MetaGeneration, dataset_path=source, export_path=str(tmp_path / "metas"), repeat_time=3, max_dynamic_patch=12
    )
    (meta,) = json.loads(Path(target).read_text()).values()
    assert meta["annotation"] == str(tmp_path / "metas" / "pool.jsonl") and read(meta["annotation"]) == [row(1), row(2)]
    assert (meta["length"], meta["repeat_time"], meta["max_dynamic_patch"]) == (2, 3, 12)


def test_a_share_of_rows_can_be_asked_for_and_one_and_a_half_times_not(tmp_path: Path) -> None:
    config = {"dataset_path": ["a.jsonl"], "export_path": "out"}
    assert not list(MetaGeneration(MetaGeneration.Config(**config, repeat_time=0.5)).check())
    assert list(MetaGeneration(MetaGeneration.Config(**config, repeat_time=1.5)).check())


def test_an_empty_pool_is_an_error(tmp_path: Path) -> None:
    source = lines(tmp_path / "pool.jsonl", [])
    for component in (Conversion, MetaGeneration):
        with pytest.raises(ComponentError, match="has no rows"):
            run(component, dataset_path=source, export_path=str(tmp_path / "out"))


def test_what_is_read_is_never_overwritten(tmp_path: Path) -> None:
    source = listed(tmp_path / "pool.jsonl", [row(1)])
    with pytest.raises(ComponentError, match="would be overwritten"):
        run(MetaGeneration, dataset_path=source, export_path=str(tmp_path))


@pytest.mark.parametrize("chunk", [1, 2, 7, 64])
@pytest.mark.parametrize("options", [{}, {"indent": 2}, {"separators": (",", ":")}])
def test_a_list_is_read_the_same_wherever_its_pieces_end(chunk: int, options: Any, tmp_path: Path, monkeypatch: Any) -> None:
    wanted = [row(at, text='a "quoted, ] } text', nested={"list": [1, [2]]}) for at in range(5)]
    monkeypatch.setattr(rows_module, "_CHUNK", chunk)
    assert [one for _, one in read_rows(listed(tmp_path / "rows.json", wanted, **options))] == wanted


@pytest.mark.parametrize("text", ['[{"a": 1}', '[{"a": 1} {"b": 2}]', '[{"a": 1},', '{"a": 1}\n{"b"', "[1]"])
def test_a_file_that_is_cut_off_or_something_else_is_an_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text(text)
    with pytest.raises(ComponentError):
        list(read_rows(str(tmp_path / "rows.json")))


@pytest.mark.parametrize("write", [lines, listed])
def test_a_long_file_is_not_read_into_memory(write: Callable[..., str], tmp_path: Path) -> None:
    source = write(tmp_path / "long.jsonl", [row(at, text="x" * 2000) for at in range(5000)])
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_rows(source)) == 5000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert Path(source).stat().st_size > 10_000_000 and peak < 8_000_000
