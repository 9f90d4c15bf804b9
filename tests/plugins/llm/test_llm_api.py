"""Inference by an endpoint, against a real HTTP server on loopback."""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from djsandbox.errors import JobFailed
from djsandbox_llm.api_config import ApiConfig
from djsandbox_llm.endpoint import Endpoint, RequestFailed, _retry_after

from .conftest import KEY, queries


def test_each_row_gets_the_answer_to_its_query_and_keeps_all_else_as_it_was(lab, serve):
    server = serve()
    rows = [
        {"id": 7, "query": "one", "value": 0.1234567890123, "when": "2026-01-02", "big": 12345678901234567890},
        {"id": 8, "query": "zwei: ü", "system": "Be short."},
    ]
    lab.pool("pool.jsonl", rows)
    lab.write(model="some-model", sampling_params={"temperature": 0.5})
    (found,) = lab.run()
    assert found == [{**rows[0], "response": "You said: one"}, {**rows[1], "response": "You said: zwei: ü"}]
    assert (lab.folder / "out/pool_inference.jsonl").is_file()
    by_query = {body["messages"][-1]["content"]: body for body in server.bodies}
    assert by_query["zwei: ü"] == {
        "model": "some-model",
        "temperature": 0.5,
        "messages": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "zwei: ü"}],
    }


def test_results_stand_in_the_order_of_the_rows_however_the_answers_arrive(lab, serve):
    last = threading.Event()

    def answer(messages):
        if messages[-1]["content"] == "0":
            assert last.wait(60)  # the first answer comes after the last
        if messages[-1]["content"] == "39":
            last.set()
        return f"<{messages[-1]['content']}>"

    server = serve(answer=answer)
    lab.pool("pool.jsonl", [str(number) for number in range(40)])
    lab.write(concurrency=4)
    assert lab.answers() == [f"<{number}>" for number in range(40)]
    assert 1 < server.most_at_once <= 4


def test_several_data_pools_give_a_file_each_and_names_that_are_alike_are_told_apart(lab, serve):
    serve()
    for folder in ("a", "b"):
        (lab.folder / folder).mkdir()
        lab.pool(f"{folder}/pool.jsonl", [folder])
    lab.pool("other.jsonl", ["c"])
    lab.write(dataset_path=["./a/pool.jsonl", "./b/pool.jsonl", "./other.jsonl"])
    assert [rows[0]["response"] for rows in lab.run()] == ["You said: a", "You said: b", "You said: c"]
    names = sorted(path.name for path in (lab.folder / "out").iterdir())
    assert names == ["a_pool_inference.jsonl", "b_pool_inference.jsonl", "other_inference.jsonl"]


def test_the_graders_messages_are_made_of_question_and_answer(lab, serve):
    server = serve()
    lab.pool("pool.jsonl", [{"prompt": "Recalculate.", "question": "2 and 2?", "answer": "2+2=5. #### 5", "truth": 0}])
    kwargs = {"system_key": "prompt", "query_key": "question", "response_key": "answer"}
    lab.write(build_messages_func="build_messages_for_math_qa", func_kwargs=kwargs, infer_res_key="grades")
    (rows,) = lab.run()
    assert rows[0]["grades"] == "0"
    assert server.bodies[0]["messages"] == [
        {"role": "system", "content": "Recalculate."},
        {"role": "user", "content": "Question: 2 and 2?\nAnswer: 2+2=5. #### 5"},
    ]


def test_a_function_of_ones_own_may_ask_several_times_a_row_or_not_at_all(lab, serve):
    serve()
    (lab.folder / "mine.py").write_text(
        "def ask(item, **kwargs):\n"
        "    return [[{'role': 'user', 'content': part}] for part in item['parts']]\n"
        "def loud(output, item, *, mark, **kwargs):\n"
        "    return {'text': output.upper() + mark, 'of': len(item['parts'])}\n"
    )
    lab.pool("pool.jsonl", [{"parts": ["a", "b"]}, {"parts": []}])
    lab.write(build_messages_func="./mine.py:ask", parse_output_func="./mine.py:loud", func_kwargs={"mark": "!"})
    assert lab.answers() == [[{"text": "YOU SAID: A!", "of": 2}, {"text": "YOU SAID: B!", "of": 2}], []]


def test_another_endpoint_and_another_place_of_the_answer(lab, serve):
    server = serve()
    lab.pool("pool.jsonl", ["a"])
    lab.write(api_endpoint="/responses")
    assert lab.answers() == ["You said: a"]
    assert server.bodies[0]["input"] == [{"role": "user", "content": "a"}]
    lab.write(response_path="choices.0.finish_reason")
    assert lab.answers() == ["stop"]
    lab.write(api_endpoint=f"{server.url}/chat/completions", model_params={"base_url": "http://127.0.0.1:9/nowhere"})
    assert lab.answers() == ["You said: a"]


def test_what_a_response_says_is_told_from_what_the_model_thinks_and_from_the_tools_it_calls():
    def text(said):
        return {"type": "output_text", "text": said}

    config = ApiConfig(dataset_path="./none.jsonl", export_path="./out", api_endpoint="/responses", model="m")
    thinking = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}
    message = {"type": "message", "content": [text("It is "), {"type": "refusal", "refusal": "no"}, text("so.")]}
    read = Endpoint(config)._text
    assert read({"output": [thinking, message]}) == "It is so."
    assert read({"output": [thinking]}) == ""  # the tokens did not suffice for more
    for broken in ({}, {"output": None}, {"output": [{"type": "message"}]}, []):
        with pytest.raises(RequestFailed, match="no 'output' in its answer") as caught:
            read(broken)
        assert caught.value.scope == "passing"


def test_without_a_model_the_first_that_the_endpoint_lists_is_asked(lab, serve):
    server = serve()
    lab.pool("pool.jsonl", ["a"])
    lab.write(model=None)
    lab.answers()
    assert server.bodies[0]["model"] == "loopback"


def test_the_key_comes_from_the_environment_and_is_written_nowhere(lab, serve):
    server = serve(api_key=KEY)
    lab.pool("pool.jsonl", ["a"])
    lab.write()
    assert lab.answers() == ["You said: a"]
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    assert KEY not in lab.everything_written()


def test_a_wrong_key_ends_it_at_once_and_is_not_shown_though_the_endpoint_tells_it(lab, serve, monkeypatch):
    server = serve(api_key="another")
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setenv("MY_ENDPOINT", KEY)  # of a name that no one takes for a secret's
    lab.pool("pool.jsonl", [str(number) for number in range(50)])
    lab.write(api_key_env="MY_ENDPOINT", concurrency=1, max_failures=50)
    with pytest.raises(JobFailed, match=r"HTTP 401: Incorrect API key provided: Bearer \*\*\*") as caught:
        lab.run()
    assert "the API key in MY_ENDPOINT is not valid there" in str(caught.value)
    assert server.bodies == []
    assert KEY not in lab.everything_written() + str(caught.value)


def test_dashscopes_key_goes_to_dashscope_where_both_are_set(lab, serve, monkeypatch):
    server = serve()
    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.setenv("DASHSCOPE_BASE_URL", server.url)
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-of-dashscope")
    lab.pool("pool.jsonl", ["a"])
    lab.write()
    lab.answers()
    assert server.headers[0]["authorization"] == "Bearer sk-of-dashscope"
    monkeypatch.delenv("DASHSCOPE_API_KEY")
    lab.answers()
    assert server.headers[1]["authorization"] == f"Bearer {KEY}"


def test_where_a_key_is_wanted_and_there_is_none_the_variables_are_named(lab, serve, monkeypatch):
    serve(api_key="another")
    monkeypatch.delenv("OPENAI_API_KEY")
    lab.pool("pool.jsonl", ["a"])
    lab.write()
    with pytest.raises(JobFailed, match="it wants an API key: set OPENAI_API_KEY or DASHSCOPE_API_KEY"):
        lab.run()


@pytest.mark.parametrize(
    "failure", ["429", "429:0.05", "429:0", "500", "503", "408", "cut", "refused", "invalid_json", "empty", "no_answer"]
)
def test_what_may_pass_is_tried_again_until_it_has_passed(lab, serve, failure):
    server = serve(failing=lambda number, body: failure if number <= 3 else None)
    lab.pool("pool.jsonl", ["a", "b"])
    lab.write()
    assert lab.answers() == ["You said: a", "You said: b"]
    assert len(server.bodies) == 5
    assert lab.metrics()["ask.repeated"] == 3


def test_no_answer_within_the_timeout_is_tried_again(lab, serve):
    server = serve(failing=lambda number, body: "timeout" if number == 1 else None)
    lab.pool("pool.jsonl", ["a"])
    lab.write(timeout=2)
    assert lab.answers() == ["You said: a"]
    assert len(server.bodies) >= 2


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": format_datetime(datetime.now(UTC) + timedelta(hours=9), usegmt=True)}, 9 * 3600),
        ({"retry-after": format_datetime(datetime.now(UTC) - timedelta(hours=9), usegmt=True)}, 0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_a_pause_is_asked_for_in_seconds_milliseconds_or_by_a_date(headers, seconds):
    far = seconds is not None and seconds > 3600  # a date; the tests before this one take their time
    assert _retry_after(headers) == (None if seconds is None else pytest.approx(seconds, abs=3600 if far else 0))


def test_timeout_and_retries_may_stand_where_openais_client_has_them(lab, serve):
    server = serve(failing=lambda number, body: "500")
    lab.pool("pool.jsonl", ["a"])
    lab.write(model_params={"max_retries": 1, "timeout": 20, "api_key": None, "base_url": None})
    with pytest.raises(JobFailed, match=r"HTTP 500.*\(tried 2 times\)"):
        lab.run()
    assert len(server.bodies) == 2
    assert server.headers[0]["x-stainless-read-timeout"] == "20.0"


def test_a_pause_of_an_hour_is_not_waited_for(lab, serve):
    server = serve(failing=lambda number, body: "429:3600")
    lab.pool("pool.jsonl", ["a"])
    lab.write()
    with pytest.raises(JobFailed, match="HTTP 429"):
        lab.run()
    assert len(server.bodies) == 1


def test_when_the_endpoint_asks_for_a_pause_nobody_asks_before_it_is_over(lab, serve):
    came = []

    def failing(number, body):
        came.append(time.monotonic())
        return "429:1" if number == 1 else None

    serve(failing=failing)
    lab.pool("pool.jsonl", [str(number) for number in range(6)])
    lab.write(concurrency=1, retry_wait=0)
    lab.answers()
    assert came[1] - came[0] >= 0.99


@pytest.mark.parametrize(
    ("failure", "said"), [("500", "HTTP 500"), ("invalid_json", "no JSON"), ("refused", "connection failed")]
)
def test_what_does_not_pass_fails_the_job_after_so_many_tries_with_the_row_and_keeps_the_answers(lab, serve, failure, said):
    server = serve(failing=lambda number, body: failure if body["messages"][-1]["content"] == "c" else None)
    lab.pool("pool.jsonl", ["a", "b", "c"])
    lab.write(max_retry_num=2, concurrency=1)
    with pytest.raises(JobFailed, match=rf"pool.jsonl:3: a request has no answer: .*{said}.*\(tried 3 times\)") as caught:
        lab.run()
    assert "--resume goes on with them" in str(caught.value)
    assert Counter(queries(server)) == {"a": 1, "b": 1, "c": 3}
    assert [line["output"] for line in lab.kept()] == ["You said: a", "You said: b"]
    assert not list((lab.folder / "out").glob("*.jsonl"))


def test_what_is_the_requests_own_fault_is_not_tried_again(lab, serve):
    server = serve(failing=lambda number, body: "400:content_filter")
    lab.pool("pool.jsonl", ["a"])
    lab.write()
    with pytest.raises(JobFailed, match="HTTP 400"):
        lab.run()
    assert len(server.bodies) == 1


@pytest.mark.parametrize("failure", ["429:insufficient_quota", "404", "403"])
def test_what_would_be_the_same_for_all_is_asked_once(lab, serve, failure):
    server = serve(failing=lambda number, body: failure)
    lab.pool("pool.jsonl", ["a", "b", "c"])
    lab.write(concurrency=1, max_failures=3)
    with pytest.raises(JobFailed, match="the endpoint cannot be used"):
        lab.run()
    assert len(server.bodies) == 1
