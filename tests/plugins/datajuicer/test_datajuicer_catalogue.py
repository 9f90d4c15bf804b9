"""The generated catalogue says what the installed Data-Juicer says."""

from __future__ import annotations

from typing import Any

from djsandbox_datajuicer.catalogue import arguments_of, catalogue, config_keys, deciding_arguments, operators
from djsandbox_datajuicer.tools.make_catalogue import CATALOGUE, build, dump


def test_the_catalogue_is_made_from_the_installed_data_juicer() -> None:
    assert CATALOGUE.read_text(encoding="utf-8") == dump(build()), "python -m djsandbox_datajuicer.tools.make_catalogue"


def test_it_has_the_operators_that_data_juicer_registers(data_juicer: Any) -> None:
    from data_juicer.ops.base_op import OPERATORS

    mine = {name for name, module in OPERATORS.modules.items() if module.__module__.startswith("data_juicer.")}
    assert set(operators()) == mine


def test_it_has_the_arguments_that_data_juicers_preflight_accepts(data_juicer: Any) -> None:
    from data_juicer.core.preflight import _get_valid_params
    from data_juicer.ops.base_op import OPERATORS

    for name in operators():
        assert set(arguments_of(name)) == set(_get_valid_params(OPERATORS.modules[name])), name


def test_it_has_the_keys_of_data_juicers_parser(data_juicer: Any) -> None:
    from data_juicer.config.config import build_base_parser

    destinations = {action.dest.partition(".")[0] for action in build_base_parser()._actions} - {"help", "print_config"}
    assert destinations == set(config_keys())


def test_the_operators_with_statistics_are_those_of_the_analyzer(data_juicer: Any) -> None:
    from data_juicer.ops import NON_STATS_FILTERS, Filter
    from data_juicer.ops.base_op import OPERATORS

    analysed = {
        name for name in operators() if issubclass(OPERATORS.modules[name], Filter) and name not in NON_STATS_FILTERS.modules
    }
    assert {name for name, entry in operators().items() if "stats" in entry} == analysed


def test_every_statistic_in_it_is_one_that_data_juicer_names(data_juicer: Any) -> None:
    from data_juicer.utils.constant import StatsKeysConstant

    named = {value for name, value in vars(StatsKeysConstant).items() if not name.startswith("_")}
    for name, entry in operators().items():
        assert set(entry.get("stats") or ()) <= named, name
        for bound in entry.get("bounds", {}).values():
            assert {bound["stat"], *bound.get("switch", {}).values()} <= set(entry["stats"]), name


def test_a_bound_is_linked_to_the_statistic_it_limits() -> None:
    assert operators()["language_id_score_filter"]["bounds"] == {"min_score": {"side": "min", "stat": "lang_score"}}
    assert operators()["image_shape_filter"]["bounds"]["max_height"] == {"side": "max", "stat": "image_height"}
    assert operators()["alphanumeric_filter"]["bounds"]["min_ratio"] == {
        "side": "min",
        "stat": "alnum_ratio",
        "switch": {"tokenization": "alpha_token_ratio"},
    }


def test_an_argument_that_shapes_a_statistic_is_not_taken_for_one_that_only_decides() -> None:
    for name, argument in (
        ("character_repetition_filter", "rep_len"),
        ("flagged_words_filter", "lang"),
        ("words_num_filter", "tokenization"),
        ("image_subplot_filter", "min_confidence"),
        ("image_text_similarity_filter", "reduce_mode"),
        ("video_motion_score_raft_filter", "sampling_fps"),
        ("text_embd_similarity_filter", "api_endpoint"),
    ):
        assert argument in arguments_of(name) and argument not in deciding_arguments(name), (name, argument)


def test_an_operator_that_draws_at_random_or_asks_a_server_is_marked() -> None:
    unsure = {name for name, entry in operators().items() if entry.get("unsure")}
    assert {"llm_quality_score_filter", "nlpaug_en_mapper", "generate_qa_from_text_mapper"} <= unsure
    assert not {"text_length_filter", "random_selector", "document_minhash_deduplicator"} & unsure


def test_the_columns_of_hashes_are_those_of_data_juicer(data_juicer: Any) -> None:
    from data_juicer.utils.constant import HashKeys

    assert set(catalogue()["hash_columns"]) <= {value for name, value in vars(HashKeys).items() if not name.startswith("_")}
