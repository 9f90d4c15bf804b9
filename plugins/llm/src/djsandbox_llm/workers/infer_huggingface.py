"""Answers requests with a model of Hugging Face's transformers; run by its path in an environment that has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loop import work

_DEFAULT_NEW_TOKENS = 512
_OF_THE_PIPELINE = ("device", "device_map", "dtype", "torch_dtype", "trust_remote_code", "revision", "token")


def load(options: dict[str, Any]) -> Callable[[list[dict[str, Any]]], list[str]]:
    """Load the model; returns what answers a batch."""
    import torch  # noqa: PLC0415 - only where something is left to answer
    from transformers import pipeline, set_seed  # noqa: PLC0415

    given = dict(options["model_params"])
    arguments = {name: given.pop(name) for name in _OF_THE_PIPELINE if name in given}
    if "device" not in arguments and "device_map" not in arguments:
        arguments["device"] = "cuda" if torch.cuda.is_available() else "cpu"
    generator = pipeline("text-generation", model=options["model"], model_kwargs=given, **arguments)
    tokenizer, model = generator.tokenizer, generator.model
    if options["chat_template"] is not None:
        tokenizer.chat_template = options["chat_template"]
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token_id = tokenizer.eos_token_id
    tokenizer.padding_side = "left"
    sampling = dict(options["sampling_params"])
    if "max_new_tokens" not in sampling and "max_length" not in sampling:
        sampling["max_new_tokens"] = model.generation_config.max_new_tokens or _DEFAULT_NEW_TOKENS

    def answer(batch: list[dict[str, Any]]) -> list[str]:
        if options["seed"] is not None:
            pool, row, at = batch[0]["place"]
            set_seed((options["seed"] + 1_000_003 * pool + 1009 * row + at) % 2**32)
        found = generator([request["messages"] for request in batch], return_full_text=False, batch_size=len(batch), **sampling)
        return [one[0]["generated_text"] for one in found]

    return answer


if __name__ == "__main__":
    work(load)
