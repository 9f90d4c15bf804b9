"""What a recipe names or Data-Juicer finds by itself decides whether a finished job still holds."""

from __future__ import annotations

import os
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from djsandbox import run
from djsandbox_datajuicer.analyzer import DJAnalyzer
from djsandbox_datajuicer.executor import DJExecutor
from djsandbox_datajuicer.named_files import assets_folder, identities, model_folders, named


def written(path: Path, text: str = "content") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path)


def component(component_class: type[Any], process: list[Any], **more: Any) -> Any:
    config = {"dataset_path": "in.jsonl", "export_path": "out.jsonl", "process": process, **more}
    return component_class(component_class.Config.model_validate(config))


@pytest.mark.usefixtures("data_juicer")
def test_a_job_whose_word_list_was_edited_runs_again_when_resumed(workplace: Any, texts: Any) -> None:
    words = Path(written(workplace.folder / "words" / "flagged_words.json", '{"en": ["absent"]}'))
    recipe = {
        "dataset_path": workplace.dataset(texts),
        "export_path": workplace.out(),
        "np": 1,
        "process": [{"flagged_words_filter": {"flagged_words_dir": str(words.parent), "max_ratio": 0.0}}],
    }
    job = {"hook": "ProcessDataHook", "meta_name": "cleaned", "dj_configs": recipe}
    sandbox = {"project_name": "p", "experiment_name": "e", "execution_job_configs": [job]}
    sandbox["work_dir"] = str(workplace.folder / "run")
    config = written(workplace.folder / "sandbox.yaml", yaml.safe_dump(sandbox))
    assert len(run(config).executed) == 1
    assert not run(config, resume=True).executed
    words.write_text('{"en": ["models"]}', encoding="utf-8")
    assert len(run(config, resume=True).executed) == 1
    assert 0 < len(Path(workplace.out()).read_text().splitlines()) < 40
    assert not run(config, resume=True).executed


@pytest.mark.parametrize("component_class", [DJExecutor, DJAnalyzer])
def test_files_and_folders_in_arguments_are_inputs_at_any_depth(component_class: type[Any], tmp_path: Path) -> None:
    words, model, table = (written(tmp_path / name) for name in ("words/flagged_words.json", "model.bin", "table.json"))
    process = [
        {"flagged_words_filter": {"flagged_words_dir": str(Path(words).parent)}},
        {"general_fused_op": {"fused_op_list": [{"language_id_score_filter": {"lang": "en", "model": [model]}}]}},
        {"my_mapper": {"settings": {"tables": {"first": table, "again": table}}}},
    ]
    found = component(component_class, process, custom_operator_paths=[model]).referenced_files()
    assert list(found) == [str(Path(words).parent), model, table]


def test_where_operators_write_columns_and_text_are_no_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("images", "text", "en", "results"):
        (tmp_path / folder).mkdir()
    given = {
        "save_dir": "results",
        "stats_export_path": "results",
        "frame_dir": "results",
        "image_key": "images",
        "text_key": "text",
        "lang": "en",
        "separator": "/",
        "chars_to_remove": [".", "..", "/"],
        "system_prompt": "Say what this text is about. " * 500,
        "api_model": "no-such-file",
        "broken": "a\0b",
        "max_num": 3,
    }
    assert list(named(given)) == []


def test_a_word_list_in_data_juicers_own_folder_enters_the_key_of_recipes_that_read_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_JUICER_ASSETS_CACHE", str(tmp_path / "assets"))
    monkeypatch.setenv("DATA_JUICER_MODELS_CACHE", str(tmp_path / "models"))

    def keys(op: str) -> list[Mapping[str, Any]]:
        own = [] if op != "my_filter" else [__file__]
        return [component(kind, [{op: None}], custom_operator_paths=own).key_fields() for kind in (DJExecutor, DJAnalyzer)]

    ops = ("flagged_words_filter", "language_id_score_filter", "text_length_filter", "my_filter")
    before = {op: keys(op) for op in ops}

    def changed() -> set[str]:
        now = {op: keys(op) for op in ops}
        differing = {op for op in ops if now[op] != before[op]}
        assert all(now[op][at] != before[op][at] for op in differing for at in (0, 1))
        before.update(now)
        return differing

    assert changed() == set()
    written(tmp_path / "assets" / "flagged_words.json")
    assert changed() == {"flagged_words_filter", "my_filter"}
    written(tmp_path / "models" / "lid.176.bin")
    assert changed() == {"flagged_words_filter", "language_id_score_filter", "my_filter"}
    written(tmp_path / "assets" / "frames" / "0.png")
    assert changed() == set()


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"CACHE_HOME": "/somewhere"},
        {"DATA_JUICER_CACHE_HOME": "~/juice"},
        {"DATA_JUICER_ASSETS_CACHE": "/a", "DATA_JUICER_MODELS_CACHE": "/m", "DATA_JUICER_EXTERNAL_MODELS_HOME": "/x: /y:"},
    ],
    ids=str,
)
def test_the_folders_are_those_of_data_juicer(
    environment: dict[str, str], data_juicer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("DATA_JUICER_") or name == "CACHE_HOME"]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    theirs = runpy.run_path(str(Path(data_juicer.__file__).parent / "utils" / "cache_utils.py"))
    assert assets_folder() == Path(theirs["DATA_JUICER_ASSETS_CACHE"])
    external = [Path("/x"), Path("/y")] if theirs["DATA_JUICER_EXTERNAL_MODELS_HOME"] else []
    assert model_folders() == [Path(theirs["DATA_JUICER_MODELS_CACHE"]), *external]


def test_an_edit_deep_in_a_named_folder_is_seen_though_size_and_time_stay(tmp_path: Path) -> None:
    file = Path(written(tmp_path / "a" / "b" / "words.txt", "one"))
    stamp, before = file.stat(), identities([str(tmp_path)])
    file.write_text("two")
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert identities([str(tmp_path)]) != before


def test_a_large_file_is_not_read_to_tell_it_from_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large = tmp_path / "weights.bin"
    with large.open("wb") as file:
        file.truncate(1 << 40)  # would take minutes to read
    before = identities([str(tmp_path)])
    os.utime(large, ns=(1, 1))
    assert identities([str(tmp_path)]) != before
