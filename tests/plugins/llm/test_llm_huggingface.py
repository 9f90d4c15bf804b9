"""Inference with transformers itself: a tiny model that the test makes, in the environment of DJSANDBOX_TORCH_ENV."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from djsandbox.errors import JobFailed

pytestmark = pytest.mark.slow

QUERIES = ["a b", "c d e f", "g", "h i"]
SAMPLING = {"max_new_tokens": 6, "min_new_tokens": 2, "do_sample": False}

MAKE = """
import json, sys
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

folder, queries, sampling = sys.argv[1], *map(json.loads, sys.argv[2:])
words = ["<end>", "<unk>", "user:", "system:", "assistant:", *"a b c d e f g h i j k l m n o p".split()]
tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="<unk>"))
tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
names = ["input_ids", "attention_mask"]
fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", eos_token="<end>", model_input_names=names)
torch.manual_seed(1)
model = GPT2LMHeadModel(GPT2Config(vocab_size=len(words), n_positions=64, n_embd=16, n_layer=1, n_head=2, eos_token_id=0))
model.eval()
for kind in ("base", "chat"):
    if kind == "chat":
        fast.chat_template = (
            "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }} {% endfor %}"
            "{% if add_generation_prompt %}assistant:{% endif %}"
        )
    model.save_pretrained(f"{folder}/{kind}")
    fast.save_pretrained(f"{folder}/{kind}")
for query in queries:
    ids = fast(f"user: {query} assistant:", return_tensors="pt")
    made = model.generate(**ids, **sampling, pad_token_id=0)
    print(fast.decode(made[0, ids["input_ids"].shape[1]:], skip_special_tokens=True))
"""


@dataclass(frozen=True)
class Models:
    """Folders of a model with a chat template and of one without, and what the first says to QUERIES when asked by hand."""

    env: Path
    chat: str
    base: str
    answers: list[str]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    if "DJSANDBOX_TORCH_ENV" not in os.environ:
        pytest.skip("DJSANDBOX_TORCH_ENV names no environment with torch and transformers: see tests/requirements-torch.txt")
    env = Path(os.environ["DJSANDBOX_TORCH_ENV"]).absolute()
    folder = tmp_path_factory.mktemp("models")
    argv = [str(env / "bin/python"), "-c", MAKE, str(folder), json.dumps(QUERIES), json.dumps(SAMPLING)]
    said = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.splitlines()
    return Models(env, str(folder / "chat"), str(folder / "base"), said)


@pytest.fixture
def ask(lab, models):
    def write(**extra):
        given = {"env_manager": "existing", "env_params": {"path": str(models.env)}, "sampling_params": SAMPLING}
        lab.write(type="huggingface", **{"model": models.chat, **given, **extra})

    return write


def test_the_answers_are_those_that_the_model_gives_when_asked_by_hand_also_in_batches(lab, ask, models):
    lab.pool("pool.jsonl", QUERIES)
    ask(batch_size=3)
    assert [answer.strip() for answer in lab.answers()] == models.answers
    assert len(set(models.answers)) > 1
    assert lab.metrics()["ask.progress"] == 1
    assert lab.kept() == []


def test_a_model_without_a_chat_template_says_so_and_takes_one_from_a_file(lab, ask, models):
    lab.pool("pool.jsonl", ["a b"])
    ask(model=models.base)
    with pytest.raises(JobFailed, match="chat_template") as caught:
        lab.run()
    assert "Take the chat version of the model" in str(caught.value)
    (lab.folder / "plain.jinja").write_text("{% for m in messages %}{{ m['content'] }} {% endfor %}")
    lab.pool("pool.jsonl", ["a b", "a b", "a b"])
    seeded = {"chat_template": "./plain.jinja", "sampling_params": {**SAMPLING, "do_sample": True}, "seed": 5}
    ask(model=models.base, **seeded)
    first = lab.answers()
    assert len(set(first)) > 1  # sampled anew for each row
    assert lab.answers() == first  # and the same again, by the seed
