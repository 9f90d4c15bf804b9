"""What is kept of a job that asks an endpoint, what it may spend, and what it tells of it."""

from __future__ import annotations

import json

import pytest
from djsandbox.errors import JobFailed

from .conftest import queries


def test_some_answers_may_be_missing_where_the_config_allows_it(lab, serve):
    serve(failing=lambda number, body: "400" if body["messages"][-1]["content"] in "bd" else None)
    lab.pool("pool.jsonl", list("abcde"))
    lab.write(max_failures=2)
    assert lab.answers() == ["You said: a", None, "You said: c", None, "You said: e"]
    assert lab.metrics()["ask.failures"] == 2
    lab.write(max_failures=1)
    with pytest.raises(JobFailed, match=r"2 requests have no answer, more than max_failures \(1\) allows"):
        lab.run()


def test_a_resumed_job_asks_only_for_what_is_not_answered(lab, serve):
    server = serve(failing=lambda number, body: "400" if body["messages"][-1]["content"] == "d" else None)
    lab.pool("pool.jsonl", list("abcdef"))
    lab.write(concurrency=1)
    with pytest.raises(JobFailed):
        lab.run()
    assert queries(server) == list("abcd")
    server.failing = None
    assert lab.answers(resume=True) == [f"You said: {letter}" for letter in "abcdef"]
    assert queries(server) == list("abcddef")
    assert lab.kept() == []
    lab.answers(resume=True)
    assert len(server.bodies) == 7


def test_without_resume_everything_is_asked_anew(lab, serve):
    server = serve(failing=lambda number, body: "400" if number == 2 else None)
    lab.pool("pool.jsonl", list("ab"))
    lab.write(concurrency=1)
    with pytest.raises(JobFailed):
        lab.run()
    lab.answers()
    assert queries(server) == list("abab")


@pytest.mark.parametrize(
    "change", [{"sampling_params": {"temperature": 1}}, {"model": "other"}, {"func_kwargs": {"system_key": "note"}}]
)
def test_an_answer_to_something_else_is_not_taken_over(lab, serve, change):
    server = serve(failing=lambda number, body: "400" if number == 2 else None)
    lab.pool("pool.jsonl", [{"query": "a", "note": "x"}, {"query": "b", "note": "y"}])
    lab.write(concurrency=1)
    with pytest.raises(JobFailed):
        lab.run()
    lab.write(concurrency=1, **change)
    lab.answers(resume=True)
    assert queries(server) == list("abab")


def test_a_function_that_fails_on_the_first_answer_does_not_cost_all_the_others(lab, serve):
    server = serve()
    (lab.folder / "mine.py").write_text("def number(output, item, **kwargs):\n    return float(output)\n")
    lab.pool("pool.jsonl", [str(number) for number in range(30)])
    lab.write(parse_output_func="./mine.py:number", concurrency=2)
    with pytest.raises(JobFailed, match=r"'./mine.py:number' fails on an answer: ValueError: .*You said: [01]"):
        lab.run()
    assert len(server.bodies) <= 2
    (lab.folder / "mine.py").write_text("def number(output, item, **kwargs):\n    return float(output.split()[-1])\n")
    assert lab.answers(resume=True) == [float(number) for number in range(30)]
    assert len(server.bodies) == 30


def test_a_row_that_cannot_be_asked_about_is_found_before_anything_is_sent(lab, serve):
    server = serve()
    lab.pool("pool.jsonl", [{"query": "a"}, {"question": "b"}])
    lab.write()
    with pytest.raises(JobFailed, match=r"pool.jsonl:2: 'build_messages' makes no messages of this row: KeyError: 'query'"):
        lab.run()
    (lab.folder / "pool.jsonl").write_text('{"query": "a"}\n{"query": \n')
    with pytest.raises(JobFailed, match=r"pool.jsonl:2: this line is no JSON"):
        lab.run()
    assert server.bodies == []


def test_a_budget_of_requests_ends_the_job_and_counts_what_is_tried_again(lab, serve):
    server = serve(failing=lambda number, body: "500" if number == 1 else None)
    lab.pool("pool.jsonl", list("abcdef"))
    lab.write(request_budget=4, concurrency=1)
    with pytest.raises(JobFailed, match="the request_budget of 4 is spent") as caught:
        lab.run()
    assert "--resume goes on with them" in str(caught.value)
    assert queries(server) == list("aabc")
    assert lab.answers(resume=True) == [f"You said: {letter}" for letter in "abcdef"]
    assert queries(server) == list("aabcdef")


def test_a_budget_of_tokens_counts_those_of_earlier_attempts(lab, serve):
    server = serve()  # a letter and "You said: a" are four tokens to it
    lab.pool("pool.jsonl", list("abcdef"))
    lab.write(token_budget=8, concurrency=1)
    with pytest.raises(JobFailed, match="the token_budget of 8 is spent"):
        lab.run()
    assert queries(server) == list("ab")
    with pytest.raises(JobFailed, match="the token_budget of 8 is spent"):
        lab.run(resume=True)
    assert queries(server) == list("ab")
    lab.write(token_budget=24, concurrency=1)
    lab.answers(resume=True)
    assert queries(server) == list("abcdef")


def test_a_budget_of_tokens_that_cannot_be_kept_is_said(lab, serve):
    serve(tells_usage=False)
    lab.pool("pool.jsonl", ["a"])
    lab.write(token_budget=100)
    with pytest.raises(JobFailed, match="does not tell how many tokens"):
        lab.run()


def test_what_was_asked_is_told_in_a_table_and_in_metrics(lab, serve):
    serve()
    lab.pool("pool.jsonl", list("abc"))
    lab.write()
    lab.run()
    metrics = lab.metrics()
    assert (metrics["ask.answers"], metrics["ask.requests"], metrics["ask.progress"], metrics["ask.tokens"]) == (3, 3, 1, 12)
    lines = map(json.loads, (lab.work_dir / "metrics.jsonl").read_text().splitlines())
    (table,) = [line["value"] for line in lines if line.get("name") == "Inference"]
    assert dict(zip(table["columns"], table["rows"][0], strict=True)) == {
        "model": "loopback", "rows": 3, "answers": 3, "of an earlier attempt": 0, "missing": 0, "requests": 3, "repeated": 0,
        "tokens": 12,
    }  # fmt: skip
