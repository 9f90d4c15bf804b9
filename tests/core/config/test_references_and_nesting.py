import pytest
from djsandbox.config.nested import get_at, set_at
from djsandbox.config.references import parse_reference, parse_target


def test_a_reference_names_pipeline_job_and_output() -> None:
    reference = parse_reference("pipeline1.name3.res4_key")
    assert (reference.pipeline, reference.meta_name, reference.path) == ("pipeline1", "name3", ("res4_key",))


def test_minus_one_means_the_last_job() -> None:
    reference = parse_reference("-1.res5_key.nested.0")
    assert reference.is_last
    assert reference.path == ("res5_key", "nested", "0")


@pytest.mark.parametrize("text", ["", "a", "a.b", "-1", "-1.", "a..b", ".a.b.c"])
def test_what_is_no_reference_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(ValueError, match=r"write pipeline\.meta_name\.key or -1\.key"):
        parse_reference(text)


@pytest.mark.parametrize("text", ["", "dj_config.x", "extra_configs.", "x.dj_configs"])
def test_a_target_begins_with_a_block_of_the_job(text: str) -> None:
    with pytest.raises(ValueError, match="it begins with dj_configs or extra_configs"):
        parse_target(text)


def test_a_whole_block_can_be_a_target() -> None:
    assert parse_target("dj_configs").path == ()


def test_setting_a_value_makes_missing_mappings_and_leaves_the_original_alone() -> None:
    data = {"a": {"b": [1, {"c": 2}]}}
    changed = set_at(set_at(data, ("a", "b", 1, "c"), 3), ("x", "y"), 4)
    assert changed == {"a": {"b": [1, {"c": 3}]}, "x": {"y": 4}}
    assert data == {"a": {"b": [1, {"c": 2}]}}


def test_setting_below_a_plain_value_names_the_step_that_fails() -> None:
    with pytest.raises(KeyError, match="c"):
        set_at({"a": {"b": 1}}, ("a", "b", "c"), 2)


def test_getting_a_missing_value_names_the_step_that_fails() -> None:
    with pytest.raises(KeyError, match="7"):
        get_at({"a": [1]}, ("a", "7"))
