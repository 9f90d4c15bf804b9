"""Stands in for vLLM where there is no GPU: the names, arguments, defaults and results of vllm/entrypoints/llm.py and
vllm/sampling_params.py, as far as offline chat needs them. What it was asked is noted in the file that STANDIN_TRACE names.

An argument that the real one does not know is refused here, too; the texts are made of the rendered conversation.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


class _Struct(type):
    """What the real one is made with, msgspec, says of an argument that it does not know."""

    def __call__(cls, **given: Any) -> Any:
        unknown = [name for name in given if name not in cls.__dataclass_fields__]
        if unknown:
            raise TypeError(f"Unexpected keyword argument '{unknown[0]}'")
        return super().__call__(**given)


@dataclass(kw_only=True)
class SamplingParams(metaclass=_Struct):
    n: int = 1
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    repetition_penalty: float = 1.0
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    seed: int | None = None
    stop: str | list | None = None
    stop_token_ids: list | None = None
    ignore_eos: bool = False
    max_tokens: int | None = 16
    min_tokens: int = 0
    logprobs: int | None = None
    skip_special_tokens: bool = True

    def __post_init__(self):
        if self.temperature < 0.0:
            raise ValueError(f"temperature must be non-negative, got {self.temperature}.")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, got {self.max_tokens}.")


@dataclass
class CompletionOutput:
    index: int
    text: str
    token_ids: list = field(default_factory=list)


@dataclass
class RequestOutput:
    request_id: str
    prompt: str
    outputs: list


_ENGINE = {"generation_config", "max_model_len", "dtype", "seed", "enforce_eager", "gpu_memory_utilization", "quantization"}


class LLM:
    def __init__(
        self, model: str, *, tokenizer: str | None = None, trust_remote_code: bool = False,
        tensor_parallel_size: int = 1, **kwargs: Any,
    ):  # fmt: skip
        unknown = set(kwargs) - _ENGINE
        if unknown:
            raise TypeError(f"EngineArgs.__init__() got an unexpected keyword argument '{unknown.pop()}'")
        if not os.path.isfile(os.path.join(model, "config.json")):
            raise OSError(f"Can't load the configuration of '{model}'.")
        config = json.loads(Path(model, "config.json").read_text())
        if config["num_attention_heads"] % tensor_parallel_size:
            heads = config["num_attention_heads"]
            raise ValueError(
                f"Total number of attention heads ({heads}) must be divisible by tensor parallel size ({tensor_parallel_size})."
            )
        self._template = config.get("chat_template")
        self._own_tokens = config.get("max_new_tokens")
        self._batches = 0
        _trace({"loaded": model, "tensor_parallel_size": tensor_parallel_size, **kwargs})

    def get_default_sampling_params(self) -> SamplingParams:
        return SamplingParams(**({"max_tokens": self._own_tokens} if self._own_tokens else {}))

    def chat(  # noqa: PLR0917 - these are its arguments
        self, messages: list | list, sampling_params: SamplingParams | None = None, use_tqdm: bool = True,
        lora_request: Any = None, chat_template: str | None = None, chat_template_content_format: str = "auto",
        add_generation_prompt: bool = True, continue_final_message: bool = False, tools: list | None = None,
        chat_template_kwargs: dict | None = None, mm_processor_kwargs: dict | None = None,
    ) -> list:  # fmt: skip
        conversations = messages if messages and isinstance(messages[0], list) else [messages]
        template = chat_template or self._template
        if template is None:
            raise ValueError(
                "As of transformers v4.44, default chat template is no longer allowed, so you must provide a chat template if "
                "the tokenizer does not define one."
            )
        if self._batches == 1 and os.path.exists(os.environ["STANDIN_DIE"]):
            os._exit(9)
        self._batches += 1
        _trace({"chat": len(conversations), "sampling": asdict(sampling_params)})
        made = []
        for at, conversation in enumerate(conversations):
            prompt = " ".join(template.format(**message) for message in conversation)
            text = " ".join(reversed(prompt.split()))
            words = text.split()[: sampling_params.max_tokens]
            made.append(RequestOutput(str(at), prompt, [CompletionOutput(0, " ".join(words))]))
        return made


def _trace(what: dict) -> None:
    path = os.environ.get("STANDIN_TRACE")
    if path:
        with open(path, "a") as file:
            file.write(json.dumps(what) + "\n")
