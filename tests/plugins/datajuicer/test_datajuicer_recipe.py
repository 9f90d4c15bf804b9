"""What is wrong in a recipe is found before it runs."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from djsandbox_datajuicer.analyzer import DJAnalyzer
from djsandbox_datajuicer.executor import DJExecutor
from djsandbox_datajuicer.recipe import data_juicer_settings
from pydantic import ValidationError

SOUND: dict[str, Any] = {
    "dataset_path": "in.jsonl",
    "export_path": "out.jsonl",
    "process": [{"text_length_filter": {"min_len": 3}}],
}


def findings(component_class: type[Any] = DJExecutor, **changed: Any) -> list[Any]:
    return list(component_class(component_class.Config.model_validate({**SOUND, **changed})).check())


def test_a_sound_recipe_has_no_findings() -> None:
    assert findings() == []
    assert findings(DJAnalyzer) == []


def test_a_temp_dir_that_is_too_long_for_sockets_is_found_where_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (found,) = findings(temp_dir="/" + "é" * 40, use_cache=False)
    assert found.loc == ("temp_dir",) and "81 bytes" in found.message
    assert len(findings(temp_dir="/" + "x" * 120, use_checkpoint=True)) == 1
    assert findings(temp_dir="/" + "x" * 120) == findings(temp_dir="/" + "x" * 40, use_cache=False) == []
    deep = tmp_path / ("y" * 80)
    deep.mkdir()
    monkeypatch.chdir(deep)
    assert len(findings(temp_dir="tmp", use_cache=False)) == 1


def test_a_temp_dir_is_refused_from_the_length_on_at_which_managers_cannot_start() -> None:
    manage = "import multiprocessing, sys, tempfile\ntempfile.tempdir = sys.argv[1]\nmultiprocessing.Manager().shutdown()\n"
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        for size in range(70, 82):
            folder = Path(short, "x" * (size - len(short) - 1))
            folder.mkdir()
            started = subprocess.run([sys.executable, "-c", manage, str(folder)], capture_output=True, check=False)
            assert (started.returncode != 0) == bool(findings(temp_dir=str(folder), use_cache=False)), size


def test_an_operator_without_arguments_is_sound() -> None:
    assert findings(process=[{"text_length_filter": None}, {"clean_email_mapper": {}}, "whitespace_normalization_mapper"]) == []


def test_an_unknown_operator_is_named_with_its_place_and_the_nearest() -> None:
    (found,) = findings(process=[{"clean_email_mapper": None}, {"text_lenght_filter": {"min_len": 3}}])
    assert found.loc == ("process", 1, "text_lenght_filter")
    assert "text_length_filter" in found.fix


def test_an_unknown_argument_is_named_with_its_place_and_the_nearest() -> None:
    (found,) = findings(process=[{"text_length_filter": {"min_length": 3}}])
    assert found.loc == ("process", 0, "text_length_filter", "min_length")
    assert "min_len" in found.fix


@pytest.mark.parametrize(
    ("operator", "argument", "value"),
    [
        ("text_length_filter", "min_len", "3"),
        ("text_length_filter", "min_len", 2.5),
        ("text_length_filter", "min_len", True),
        ("character_repetition_filter", "rep_len", 0),
        ("text_pair_similarity_filter", "min_score", 1.5),
        ("words_num_filter", "tokenization", "yes"),
        ("language_id_score_filter", "lang", 7),
    ],
)
def test_a_value_that_the_argument_cannot_have_is_found(operator: str, argument: str, value: Any) -> None:
    (found,) = [one for one in findings(process=[{operator: {argument: value}}]) if one.severity == "error"]
    assert found.loc == ("process", 0, operator, argument)
    assert repr(value) in found.message


def test_arguments_of_the_generic_operator_are_known() -> None:
    arguments = {"text_key": "content", "reversed_range": True, "num_proc": 2, "batch_size": 10}
    assert findings(process=[{"text_length_filter": arguments}]) == []


def test_an_entry_that_is_not_one_operator_is_found() -> None:
    (found,) = findings(process=[{"text_length_filter": None, "words_num_filter": None}])
    assert found.loc == ("process", 0)


def test_all_findings_of_a_recipe_come_together() -> None:
    found = findings(dataset_path=None, process=[{"text_lenght_filter": None}, {"words_num_filter": {"minimum": 3}}])
    assert len(found) == 3


def test_operators_of_the_users_own_are_accepted_unchecked(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("")
    config = {"custom_operator_paths": [str(path)], "process": [{"my_very_own_mapper": {"anything": 1}}]}
    assert findings(**config) == []
    component = DJExecutor(DJExecutor.Config.model_validate({**SOUND, **config}))
    assert list(component.referenced_files()) == [str(path)]
    assert component.deterministic is False


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="keep_stats"):
        DJExecutor.Config.model_validate({**SOUND, "keep_stats_in_result": True})


def test_every_key_that_data_juicer_knows_is_accepted_and_passed_on() -> None:
    given = {"keep_stats_in_res_ds": True, "text_keys": ["content"], "percentiles": [0.1], "np": 3, "suffixes": [".txt"]}
    config = DJExecutor.Config.model_validate({**SOUND, **given})
    assert given.items() <= data_juicer_settings(config).items()


def test_a_key_with_a_wrong_value_is_found() -> None:
    (found,) = findings(keep_stats_in_res_ds="true")
    assert found.loc == ("keep_stats_in_res_ds",)


@pytest.mark.parametrize(
    "changed",
    [
        {"dataset_path": None, "dataset": {"configs": [{"type": "local", "path": "in.jsonl"}]}},
        {"dataset_path": "", "generated_dataset_config": {"type": "EmptyFormatter", "length": 3, "feature_keys": ["text"]}},
    ],
)
def test_the_dataset_may_be_named_in_data_juicers_other_ways(changed: dict[str, Any]) -> None:
    assert findings(**changed) == []


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"dataset_path": None}, "dataset_path"),
        ({"export_path": None}, "export_path"),
        ({"export_path": "s3://bucket/out.jsonl"}, "export_path"),
        ({"export_path": "out.csv"}, "export_path"),
        ({"export_type": "csv"}, "export_type"),
        ({"executor_type": "ray"}, "executor_type"),
        ({"executor_type": "spark"}, "executor_type"),
        ({"export_shard_size": 1000}, "export_shard_size"),
        ({"auto": True}, "auto"),
        ({"data_probe_algo": "unifrom"}, "data_probe_algo"),
        ({"data_probe_algo": "topk_specified_field_selector"}, "data_probe_algo"),
    ],
)
def test_what_cannot_be_run_here_is_found(changed: dict[str, Any], place: str) -> None:
    (found,) = findings(**changed)
    assert found.loc == (place,)


def test_a_place_for_data_juicers_own_files_has_no_effect_and_says_so() -> None:
    (found,) = findings(work_dir="./somewhere")
    assert found.severity == "warning"
    assert "work_dir" not in data_juicer_settings(DJExecutor.Config.model_validate({**SOUND, "work_dir": "./somewhere"}))


def test_an_analysis_without_statistics_is_found() -> None:
    (found,) = findings(DJAnalyzer, process=[{"clean_email_mapper": None}])
    assert found.loc == ("process",)


def test_the_key_of_a_processing_job_has_the_bounds_and_not_the_number_of_processes() -> None:
    def key(**changed: Any) -> Any:
        return DJExecutor(DJExecutor.Config.model_validate({**SOUND, **changed})).key_fields()

    assert key() == key(np=7)
    assert key() != key(process=[{"text_length_filter": {"min_len": 4}}])


def test_the_key_of_an_analysis_leaves_out_what_statistics_do_not_depend_on() -> None:
    def key(**changed: Any) -> Any:
        return DJAnalyzer(DJAnalyzer.Config.model_validate({**SOUND, **changed})).key_fields()

    assert key() == key(np=7) == key(export_path="other.jsonl") == key(process=[{"text_length_filter": {"max_len": 9}}])
    assert key() != key(process=[{"text_length_filter": {"text_key": "content"}}])
    assert key() != key(text_keys="content")
    assert key() != key(process=[{"words_num_filter": None}])


def test_a_job_is_deterministic_unless_an_operator_is_not() -> None:
    def deterministic(process: list[Any]) -> bool:
        return bool(DJExecutor(DJExecutor.Config.model_validate({**SOUND, "process": process})).deterministic)

    assert deterministic([{"text_length_filter": None}, {"random_selector": {"select_num": 3}}])
    assert not deterministic([{"text_length_filter": None}, {"llm_quality_score_filter": None}])


def test_a_model_that_an_operator_will_download_is_a_warning_that_says_where_it_belongs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_JUICER_MODELS_CACHE", str(tmp_path))
    process = ["language_id_score_filter", {"perplexity_filter": {"lang": "fr"}}]
    said = [(one.severity, one.loc, one.message) for one in findings(process=process)]
    for (severity, loc, message), (at, name, file) in zip(
        said,
        [
            (0, "language_id_score_filter", "lid.176.bin"),
            (1, "perplexity_filter", "fr.sp.model"),
            (1, "perplexity_filter", "fr.arpa.bin"),
        ],
        strict=True,
    ):
        assert (
            (severity, loc) == ("warning", ("process", at, name)) and f"{file}, which" in message and str(tmp_path) in message
        )
    for file in ("lid.176.bin", "fr.sp.model", "fr.arpa.bin"):
        (tmp_path / file).touch()
    assert not findings(process=process)
