from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from djsandbox.context.infos import ContextInfos
from djsandbox.errors import SandboxError


def context(**outputs: Mapping[str, Any]) -> ContextInfos:
    """A pipeline `p` in which each job has the meta_name and outputs given."""
    infos = ContextInfos()
    for index, (meta_name, values) in enumerate(outputs.items()):
        infos.record("p", f"p/probe/{index}", meta_name, values)
    return infos


def test_an_output_is_found_by_pipeline_meta_name_and_key() -> None:
    infos = context(first={"a": 1}, second={"a": 2, "b": [3]})
    infos.record("q", "q/probe/0", "first", {"a": 4})
    assert infos.lookup("p", "first", ["a"]) == 1
    assert infos.lookup("p", "second", ["a"]) == 2
    assert infos.lookup("q", "first", ["a"]) == 4


def test_nested_mappings_and_lists_are_entered_by_key_and_position() -> None:
    infos = context(job={"res": {"pools": [{"path": Path("a")}, ("x", "y")], "7": "seven"}})
    assert infos.lookup("p", "job", ["res", "pools", "0", "path"]) == Path("a")
    assert infos.lookup("p", "job", ["res", "pools", "1", "1"]) == "y"
    assert infos.last(["res", "7"]) == "seven"


def test_integer_keys_are_found_by_their_text() -> None:
    assert context(job={"res": {3: "three"}}).last(["res", "3"]) == "three"


def test_a_value_of_none_or_false_is_a_value() -> None:
    infos = context(job={"a": None, "b": {"c": False}})
    assert infos.lookup("p", "job", ["a"]) is None
    assert infos.lookup("p", "job", ["b", "c"]) is False


def test_of_keys_with_dots_the_longest_that_leads_to_a_value_is_meant() -> None:
    infos = context(
        job={
            "filter.rep_len": {"min": 1},
            "filter": {"rep_len": {"min": 2, "max": 3}, "rep_len.min": 4},
        }
    )
    assert infos.lookup("p", "job", ["filter", "rep_len", "min"]) == 1
    assert infos.lookup("p", "job", ["filter", "rep_len", "max"]) == 3
    assert context(job={"r": {"a.b": {"c": 1}, "a": {"b": {"c": 2, "d": 3}}}}).last(["r", "a", "b", "c"]) == 1
    assert context(job={"r": {"a.b": {"c": 1}, "a": {"b": {"c": 2, "d": 3}}}}).last(["r", "a", "b", "d"]) == 3


def test_last_is_the_last_job_that_has_outputs_across_pipelines() -> None:
    infos = context(first={"a": 1}, second={"b": 2})
    infos.begin_pipeline("q")
    infos.record("q", "q/probe/0", "silent", {})
    assert infos.last(["b"]) == 2
    with pytest.raises(SandboxError, match=r"'-1' .*has no output 'a'"):
        infos.last(["a"])


def test_without_any_outputs_there_is_no_last() -> None:
    with pytest.raises(SandboxError, match="no job before this one has outputs"):
        context(silent={}).last(["a"])


def shared() -> ContextInfos:
    infos = ContextInfos()
    infos.record("p", "p/probe/0", "same", {"analysed": "x", "both": 1})
    infos.record("p", "p/refine_recipe/0", "same", {"recipe": "y", "both": 2})
    return infos


def test_jobs_that_share_a_meta_name_are_told_apart_by_their_outputs() -> None:
    assert shared().lookup("p", "same", ["analysed"]) == "x"
    assert shared().lookup("p", "same", ["recipe"]) == "y"


def test_an_output_that_two_jobs_of_one_meta_name_have_is_an_error_that_names_both() -> None:
    with pytest.raises(SandboxError, match=r"p/probe/0, p/refine_recipe/0"):
        shared().lookup("p", "same", ["both"])


@pytest.mark.parametrize(
    ("address", "message", "fix"),
    [
        (("pp", "job", ["res"]), "pipeline 'pp'", "did you mean 'p'"),
        (("p", "jobs", ["res"]), "no job 'jobs' of the pipeline 'p'", "did you mean 'job'"),
        (("p", "job", ["ress"]), r"'p\.job' \(p/probe/0\) has no output 'ress'", "did you mean 'res'"),
        (("p", "job", ["res", "poolz"]), r"'p\.job\.res' has no key 'poolz'", "did you mean 'pools'"),
        (("p", "job", ["res", "pools", "2"]), r"'p\.job\.res\.pools' is a list and has no position '2'", "positions: 0 to 1"),
        (("p", "job", ["res", "pools", "-1"]), "no position '-1'", "positions: 0 to 1"),
        (("p", "job", ["res", "none", "0"]), "no position '0'", "the list is empty"),
        (
            ("p", "job", ["res", "text", "0"]),
            r"'p\.job\.res\.text' is a str and has no part '0'",
            r"'p\.job\.res\.text' itself",
        ),
        (("p", "job", []), "followed by the name of an output", "known: res"),
    ],
)
def test_an_address_that_leads_nowhere_is_an_error_that_says_what_there_is(address: Any, message: str, fix: str) -> None:
    infos = context(job={"res": {"pools": ["a", "b"], "none": [], "text": "abc"}})
    with pytest.raises(SandboxError, match=message) as caught:
        infos.lookup(*address)
    assert caught.value.problems[0].fix is not None
    assert caught.match(fix)


def test_an_output_cannot_be_called_meta_name() -> None:
    with pytest.raises(SandboxError, match="p/probe/0 names an output 'meta_name'"):
        context(job={"meta_name": 1})


def test_the_dict_has_the_shape_of_the_guide() -> None:
    infos = ContextInfos()
    infos.begin_pipeline("pipeline_0")
    infos.begin_pipeline("pipeline_1")
    infos.record("pipeline_0", "pipeline_0/probe/0", "name1", {"res1_key": "res1_value"})
    infos.record("pipeline_0", "pipeline_0/probe/1", "", {})
    expected = {"pipeline_0": [{"meta_name": "name1", "res1_key": "res1_value"}, {"meta_name": ""}], "pipeline_1": []}
    assert infos.to_dict() == expected
    assert json.loads(json.dumps(infos.to_dict())) == expected


def test_a_context_made_from_its_dict_answers_as_before() -> None:
    infos = ContextInfos.from_dict(shared().to_dict())
    assert infos.to_dict() == shared().to_dict()
    assert infos.lookup("p", "same", ["recipe"]) == "y"
    assert infos.last(["recipe"]) == "y"
    with pytest.raises(SandboxError, match=r"p\[0\], p\[1\]"):
        infos.lookup("p", "same", ["both"])


def test_later_changes_to_a_mapping_that_was_recorded_do_not_reach_the_context() -> None:
    outputs = {"a": 1}
    infos = context(job=outputs)
    outputs["b"] = 2
    assert infos.to_dict() == {"p": [{"meta_name": "job", "a": 1}]}
