"""Inference with transformers itself: a tiny model that the test makes, in the environment of DJSANDBOX_TORCH_ENV."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import djsandbox_llm.workers
import pytest
from djsandbox.errors import ConfigError
from djsandbox_llm.known_errors import KNOWN_ERRORS

pytestmark = pytest.mark.slow

QUERIES = ["a b", "c d e f", "g", "h i"]
SAMPLING = {"max_new_tokens": 6, "min_new_tokens": 2, "do_sample": False}

TEMPLATE = (
    "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }} {% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"
)

MAKE = """
import json, sys
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

folder, queries, sampling = sys.argv[1], *map(json.loads, sys.argv[2:4])
words = ["<end>", "<unk>", "user:", "system:", "assistant:", *"a b c d e f g h i j k l m n o p".split()]
tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="<unk>"))
tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
names = ["input_ids", "attention_mask"]
fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", eos_token="<end>", model_input_names=names)
torch.manual_seed(1)
model = GPT2LMHeadModel(GPT2Config(vocab_size=len(words), n_positions=64, n_embd=16, n_layer=1, n_head=2, eos_token_id=0))
model.eval()
for kind, template in (("base", None), ("chat", sys.argv[5])):
    fast.chat_template = template
    model.save_pretrained(f"{folder}/{kind}")
    fast.save_pretrained(f"{folder}/{kind}")
sys.path.insert(0, sys.argv[4])
from infer_huggingface import load
options = {"model_params": {}, "sampling_params": {**sampling, "do_sample": True}, "chat_template": None}
asked = [[{"place": (0, row, 0), "messages": [{"role": "user", "content": "a b"}]}] for row in range(4)]
said = {"sampled": []}
for seed in (5, 5, 6):
    answer = load({**options, "model": f"{folder}/chat", "seed": seed})
    said["sampled"].append([answer(batch)[0] for batch in asked])
try:
    load({**options, "model": f"{folder}/base", "seed": None})(asked[0])
except ValueError as error:
    said["refused"] = str(error)
said["by_hand"] = []
for query in queries:
    ids = fast(f"user: {query} assistant:", return_tensors="pt")
    made = model.generate(**ids, **sampling, pad_token_id=0)
    said["by_hand"].append(fast.decode(made[0, ids["input_ids"].shape[1]:], skip_special_tokens=True))
print(json.dumps(said))
"""


@dataclass(frozen=True)
class Models:
    """A model with a chat template and the same without, in `folder`, and what it said."""

    env: Path
    folder: Path
    by_hand: list[str]
    """Its answers to QUERIES."""
    sampled: list[list[str]]
    """Its answers to the same four times over, with the seeds 5, 5 and 6."""
    refused: str
    """What transformers says where there is no template."""


@pytest.fixture(scope="module")
def models(torch_env: Path, tmp_path_factory: pytest.TempPathFactory) -> Models:
    folder = tmp_path_factory.mktemp("models")
    argv = [torch_env / "bin/python", "-c", MAKE, folder, json.dumps(QUERIES), json.dumps(SAMPLING)]
    argv += [*djsandbox_llm.workers.__path__, TEMPLATE]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    return Models(torch_env, folder, **json.loads(done.stdout.splitlines()[-1]))


def test_the_answers_are_those_that_the_model_gives_when_asked_by_hand_also_in_batches(lab, models):
    lab.pool("pool.jsonl", QUERIES)
    (lab.folder / "template.jinja").write_text(TEMPLATE)
    existing = {"env_manager": "existing", "env_params": {"path": str(models.env), "check": False}}
    given = {"type": "huggingface", "model": str(models.folder / "base"), "sampling_params": SAMPLING, **existing}
    lab.write(**given)
    with pytest.raises(ConfigError, match="has no chat template"):
        lab.run()
    lab.write(**given, chat_template="./template.jinja", batch_size=3)
    assert [answer.strip() for answer in lab.answers()] == models.by_hand
    assert len(set(models.by_hand)) > 1
    assert lab.metrics()["ask.progress"] == 1
    assert lab.kept() == []


def test_a_seed_makes_sampled_answers_the_same_again_and_yet_others_for_each_row(models):
    first, again, other = models.sampled
    assert first == again != other
    assert len(set(first)) > 1


def test_what_transformers_says_of_a_missing_chat_template_is_known(models):
    (known,) = [one for one in KNOWN_ERRORS if re.search(one.pattern, models.refused)]
    assert known.name == "the model has no chat template"
