"""Answers requests with a model that vLLM runs; run by its path in an environment that has vLLM."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from loop import work

_DEFAULT_TOKENS = 512
_TOKENS_OF_VLLM = 16
"""What SamplingParams takes where nothing says how long an answer may be: too short for any use."""


def load(options: dict[str, Any]) -> Callable[[list[dict[str, Any]]], list[str]]:
    """Load the model; returns what answers a batch."""
    os.environ.setdefault("VLLM_WORKER_MULTIPROC_METHOD", "spawn")
    from vllm import LLM, SamplingParams  # noqa: PLC0415 - only where something is left to answer

    arguments = {"generation_config": "auto", "tensor_parallel_size": _gpus()}
    model = LLM(model=options["model"], **{**arguments, **options["model_params"]})
    given = dict(options["sampling_params"])
    if "max_tokens" not in given:
        own = model.get_default_sampling_params().max_tokens
        given["max_tokens"] = own if own and own != _TOKENS_OF_VLLM else _DEFAULT_TOKENS
    sampling = SamplingParams(**given)

    def answer(batch: list[dict[str, Any]]) -> list[str]:
        conversations = [request["messages"] for request in batch]
        found = model.chat(conversations, sampling, use_tqdm=False, chat_template=options["chat_template"])
        return [one.outputs[0].text for one in found]

    return answer


def _gpus() -> int:
    """How many GPUs the task was given."""
    return len([name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name]) or 1


if __name__ == "__main__":
    work(load)
