"""What is found before anything is asked, and what importing the plugin costs."""

from __future__ import annotations

import subprocess
import sys

import djsandbox
import djsandbox_llm.workers
import pytest
from djsandbox.errors import ConfigError
from djsandbox_llm.workers.answer_log import AnswerLog


def problems(lab) -> list[str]:
    """What `validate` says, each with the line that it is said of."""
    lines = (lab.folder / "sandbox.yaml").read_text().splitlines()
    try:
        found = djsandbox.validate("sandbox.yaml")
    except ConfigError as error:
        found = error.problems
    told = getattr(found, "warnings", found)
    return [f"{lines[one.where.line - 1].strip()} | {one.message} | {one.fix}" for one in told]


@pytest.mark.parametrize(
    ("extra", "place", "said"),
    [
        ({"build_messages_func": "build_mesages"}, "build_messages_func", "did you mean 'build_messages'?"),
        ({"parse_output_func": "./mine.py:parse"}, "parse_output_func", "there is no file"),
        ({"model_params": {"api_key": "sk-abcdef-0123456"}}, "model_params", "does not belong into a config"),
        ({"model_params": {"base_url": "localhost:8000"}}, "base_url", "begins with http://"),
        ({"model_params": {"default_headers": {"Authorization": "Bearer sk-abcdef-0123456"}}}, "default_headers", "is secret"),
        ({"model_params": {"bas_url": "http://x"}}, "bas_url", "did you mean 'base_url'?"),
        ({"sampling_params": {"stream": True}}, "sampling_params", "'stream' is not a way to sample"),
        ({"api_endpoint": "/embeddings"}, "api_endpoint", "embeddings gives no text"),
        ({"api_key_env": "NO_SUCH_KEY"}, "api_key_env", "NO_SUCH_KEY is not set"),
        ({"api_key_env": "sk-abcdef-0123456"}, "api_key_env", "does not belong into a config"),
        ({"timeout": 9, "model_params": {"timeout": 8}}, "extra_configs", "'timeout' is there twice"),
        ({"max_retry_num": -1}, "max_retry_num", "greater than or equal to 0"),
        ({"concurrency": 0}, "concurrency", "greater than or equal to 1"),
        ({"response_key": "x"}, "response_key", "unknown key"),
        ({"dataset_path": "./none.jsonl"}, "dataset_path", "none.jsonl"),
        ({"dataset_path": []}, "dataset_path", "at least 1"),
    ],
)
def test_what_is_wrong_with_a_config_is_said_with_its_line(lab, serve, extra, place, said):
    serve()
    lab.pool("pool.jsonl", ["a"])
    lab.write(**extra)
    (told,) = problems(lab)
    assert f'"{place}"' in told.split(" | ")[0]
    assert said in told
    assert "sk-abcdef-0123456" not in told.split(" | ", 1)[1]


def test_openais_own_endpoint_wants_a_key_before_the_run_and_others_may_do_without(lab):
    lab.pool("pool.jsonl", ["a"])
    lab.write()
    (told,) = problems(lab)
    assert "neither OPENAI_API_KEY nor DASHSCOPE_API_KEY is set" in told
    lab.write(model_params={"base_url": "http://127.0.0.1:9/v1"})
    assert problems(lab) == []
    lab.write(api_endpoint="http://127.0.0.1:9/v1/chat/completions")
    assert problems(lab) == []
    lab.write(model_params={"base_url": "http://127.0.0.1:9/v1"}, api_endpoint="https://api.openai.com/v1/chat/completions")
    assert "neither OPENAI_API_KEY" in problems(lab)[0]


def test_dashscopes_key_is_not_sent_to_openai(lab, monkeypatch):
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-0123456789")
    lab.pool("pool.jsonl", ["a"])
    lab.write()
    (told,) = problems(lab)
    assert "DASHSCOPE_API_KEY would be sent to OpenAI" in told
    assert "or DASHSCOPE_BASE_URL" in told
    lab.write(api_key_env="DASHSCOPE_API_KEY", model_params={"base_url": "http://127.0.0.1:9/v1"})
    assert problems(lab) == []


def test_rows_that_cannot_be_asked_about_are_warned_of_where_the_file_is_there(lab, serve):
    serve()
    lab.pool("pool.jsonl", [{"query": "a"}, {"question": "a"}])
    lab.write()
    (told,) = problems(lab)
    assert "pool.jsonl:2: " in told
    assert "makes no messages of this row: KeyError: 'query'" in told
    assert "the row has the keys question" in told
    lab.pool("pool.jsonl", [])
    assert "has no rows" in problems(lab)[0]


def test_an_argument_of_which_nothing_is_made_is_warned_of_where_the_functions_are_ours(lab, serve):
    serve()
    (lab.folder / "mine.py").write_text("def ask(item, **kwargs):\n    return [{'role': 'user', 'content': kwargs['mine']}]\n")
    lab.pool("pool.jsonl", ["a"])
    lab.write(func_kwargs={"sytem_key": "prompt", "query_key": "query"})
    (told,) = problems(lab)
    assert told.startswith('"sytem_key"')
    assert "nothing is made of 'sytem_key' | did you mean 'system_key'?" in told
    lab.write(build_messages_func="./mine.py:ask", func_kwargs={"mine": "b"})
    assert problems(lab) == []


def test_importing_the_executors_imports_no_client_and_no_library_of_models():
    code = (
        "import sys, djsandbox_llm.api_executor, djsandbox_llm.huggingface_executor, djsandbox_llm.vllm_executor\n"
        "import djsandbox_llm.messages, djsandbox_llm.recipes, djsandbox_llm.known_errors\n"
        "heavy = {'openai', 'httpx', 'httpx2', 'torch', 'transformers', 'vllm', 'numpy', 'datasets'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_workers_need_nothing_of_djsandbox():
    code = "import sys; sys.path.insert(0, sys.argv[1]); import loop; sys.exit('djsandbox' in sys.modules)"
    subprocess.run([sys.executable, "-I", "-c", code, djsandbox_llm.workers.__path__[0]], check=True)


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_log_cut_off_anywhere_keeps_the_whole_lines_before_and_can_be_written_on(tmp_path, cut):
    with AnswerLog(tmp_path / "log") as log:
        for row in range(3):
            log.add((0, row, 0), f"r{row}", f"answer {row}\n", tokens=2)
    path = tmp_path / "log"
    path.write_bytes(path.read_bytes()[:-cut])
    with AnswerLog(path) as log:
        assert len(log) == 2
        assert log.tokens == 4
        assert log.has((0, 1, 0), "r1") and not log.has((0, 1, 0), "other")
        log.add((0, 2, 0), "r2", "again")
    with AnswerLog(path) as log:
        assert [log.output((0, row, 0)) for row in range(3)] == ["answer 0\n", "answer 1\n", "again"]


def test_a_line_that_is_none_costs_only_itself(tmp_path):
    path = tmp_path / "log"
    with AnswerLog(path) as log:
        for row in range(3):
            log.add((0, row, 0), f"r{row}", f"answer {row}", tokens=2)
    first, second, third = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + b"\0" * (len(second) - 1) + b"\n" + b'{"place": [0, 1, 0]}\n' + third)
    with AnswerLog(path) as log:
        assert [log.output((0, row, 0)) for row in range(3)] == ["answer 0", None, "answer 2"]
        assert log.tokens == 4


def test_a_full_disk_leaves_no_half_line_to_spoil_the_next(tmp_path):
    code = (
        "import resource, signal, sys; sys.path.insert(0, sys.argv[1]); from answer_log import AnswerLog\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "log = AnswerLog(sys.argv[2]); log.add((0, 0, 0), 'r', 'short')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))\n"  # as of a disk that is full, the first bytes fit
        "try: log.add((0, 1, 0), 'r', 'long' * 100)\n"
        "except OSError: log.add((0, 2, 0), 'r', 'short again')\n"
        "print(log.output((0, 2, 0)), log.output((0, 1, 0)))\n"
    )
    argv = [sys.executable, "-I", "-c", code, *djsandbox_llm.workers.__path__, str(tmp_path / "log")]
    assert subprocess.run(argv, check=True, capture_output=True, text=True).stdout == "short again None\n"
    with AnswerLog(tmp_path / "log") as log:
        assert [log.output((0, row, 0)) for row in range(3)] == ["short", None, "short again"]


@pytest.mark.parametrize(
    ("files", "extra", "told"),
    [
        ({"tokenizer_config.json": "{}"}, {}, "has no chat template"),
        ({"tokenizer_config.json": "{"}, {}, "cannot be read"),
        ({"tokenizer_config.json": '{"chat_template": "{{ messages }}"}'}, {}, None),
        ({"tokenizer_config.json": "{}", "chat_template.jinja": "{{ messages }}"}, {}, None),
        ({"tokenizer_config.json": "{}"}, {"chat_template": "./pool.jsonl"}, None),
        ({"tokenizer_config.json": "{}"}, {"model_params": {"trust_remote_code": True}}, "has no chat template"),
        ({"config.json": "{}"}, {}, None),
    ],
)
def test_a_model_without_a_chat_template_is_found_before_it_is_loaded(lab, files, extra, told):
    lab.pool("pool.jsonl", ["a"])
    (lab.folder / "model").mkdir()
    for name, text in files.items():
        (lab.folder / "model" / name).write_text(text)
    lab.write(type="huggingface", model="./model", **extra)
    found = [line for line in problems(lab) if '"model"' in line]
    assert len(found) == (told is not None)
    assert told is None or told in found[0]


def test_a_log_that_is_only_read_is_left_as_it_was(tmp_path):
    path = tmp_path / "log"
    with AnswerLog(path) as log:
        log.add((0, 0, 0), "r", "answer")
    before = path.stat().st_mtime_ns
    with AnswerLog(path) as log:
        log.output((0, 0, 0))
    assert path.stat().st_mtime_ns == before
