"""Inference with vLLM, through a stand-in for its Python interface in an environment of its own (there is no GPU here)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from djsandbox.errors import ConfigError, JobFailed

STANDIN = Path(__file__).with_name("standin") / "vllm"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the stand-in installed."""
    folder = tmp_path_factory.mktemp("vllm") / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = folder.glob("lib/python3*/site-packages")
    shutil.copytree(STANDIN, packages / "vllm")
    return folder


@pytest.fixture
def ask(lab, environment):
    """Write a config, and the model that it names: a `config.json`."""

    def write(config: dict[str, Any] | None = None, **extra: Any) -> None:
        (lab.folder / "model").mkdir(exist_ok=True)
        about = {"num_attention_heads": 2, "chat_template": "{role} {content}", **(config or {})}
        (lab.folder / "model/config.json").write_text(json.dumps(about))
        variables = {"STANDIN_TRACE": str(lab.folder / "trace"), "STANDIN_DIE": str(lab.folder / "die")}
        given = {"env_manager": "existing", "env_params": {"path": str(environment), "variables": variables}, **extra}
        lab.write(type="vllm", **{"model": "./model", **given})

    return write


def trace(lab) -> list[dict[str, Any]]:
    """What vLLM was asked."""
    return [json.loads(line) for line in (lab.folder / "trace").read_text().splitlines()]


def test_the_model_is_loaded_once_and_asked_in_batches(lab, ask):
    lab.pool("pool.jsonl", list("abcde"))
    lab.pool("other.jsonl", ["f"])
    ask(dataset_path=["./pool.jsonl", "./other.jsonl"], batch_size=4, sampling_params={"temperature": 0.0, "max_tokens": 9})
    found = lab.run()
    assert [[row["response"] for row in rows] for rows in found] == [[f"{letter} user" for letter in "abcde"], ["f user"]]
    loaded, first, second = trace(lab)
    assert loaded == {"loaded": str(lab.folder / "model"), "tensor_parallel_size": 1, "generation_config": "auto"}
    assert (first["chat"], second["chat"]) == (4, 2)
    assert (first["sampling"]["temperature"], first["sampling"]["max_tokens"]) == (0.0, 9)


def test_an_answer_may_be_as_long_as_the_model_says_else_512_tokens_and_not_16(lab, ask):
    lab.pool("pool.jsonl", ["a"])
    ask()
    lab.run()
    ask(config={"max_new_tokens": 99})
    lab.run()
    assert [line["sampling"]["max_tokens"] for line in trace(lab) if "chat" in line] == [512, 99]


def test_arguments_of_the_model_reach_it(lab, ask):
    lab.pool("pool.jsonl", ["a"])
    ask(model_params={"tensor_parallel_size": 2, "max_model_len": 128})
    lab.run()
    assert trace(lab)[0] == {
        "loaded": str(lab.folder / "model"),
        "tensor_parallel_size": 2,
        "generation_config": "auto",
        "max_model_len": 128,
    }


def test_what_died_in_the_middle_goes_on_with_the_batches_that_are_missing(lab, ask):
    lab.pool("pool.jsonl", list("abcde"))
    ask(batch_size=2)
    (lab.folder / "die").touch()
    with pytest.raises(JobFailed):
        lab.run()
    assert [line["output"] for line in lab.kept()] == ["a user", "b user"]
    (lab.folder / "die").unlink()
    assert lab.answers(resume=True) == [f"{letter} user" for letter in "abcde"]
    assert [line["chat"] for line in trace(lab) if "chat" in line] == [2, 2, 1]
    assert lab.kept() == []
    lab.answers(resume=True)
    assert len([line for line in trace(lab) if "chat" in line]) == 3


def test_a_parser_that_fails_costs_no_second_inference(lab, ask):
    (lab.folder / "mine.py").write_text("def number(output, item, **kwargs):\n    return float(output)\n")
    lab.pool("pool.jsonl", list("ab"))
    ask(parse_output_func="./mine.py:number")
    with pytest.raises(JobFailed, match="fails on an answer"):
        lab.run()
    (lab.folder / "mine.py").write_text("def number(output, item, **kwargs):\n    return len(output)\n")
    assert lab.answers(resume=True) == [6, 6]
    assert [line["chat"] for line in trace(lab) if "chat" in line] == [2]


@pytest.mark.parametrize(
    ("extra", "config", "said"),
    [
        ({"sampling_params": {"max_new_tokens": 9}}, {}, "Use its names: max_tokens"),
        ({"model_params": {"tensor_parallel_size": 3}}, {}, "Set tensor_parallel_size in model_params"),
        ({}, {"chat_template": None}, "Take the chat version of the model"),
    ],
)
def test_what_vllm_refuses_is_told_with_what_helps(lab, ask, extra, config, said):
    lab.pool("pool.jsonl", ["a"])
    ask(config=config, **extra)
    with pytest.raises(JobFailed) as caught:
        lab.run()
    assert said in str(caught.value)


def test_a_chat_template_in_a_file_is_used(lab, ask):
    lab.pool("pool.jsonl", ["a"])
    (lab.folder / "mine.jinja").write_text("({role}) {content}")
    ask(config={"chat_template": None}, chat_template="./mine.jinja")
    assert lab.answers() == ["a (user)"]


def test_a_model_that_is_not_there_is_found_before_the_run(lab, ask):
    lab.pool("pool.jsonl", ["a"])
    ask(model="./modle")
    with pytest.raises(ConfigError, match=r"there is no model at ./modle"):
        lab.run()
