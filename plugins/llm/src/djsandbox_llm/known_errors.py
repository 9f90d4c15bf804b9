"""What models and those who run them print when they fail, and what helps."""

from __future__ import annotations

from djsandbox import KnownError

KNOWN_ERRORS = (
    KnownError(
        "the model has no chat template",
        pattern=r"tokenizer\.chat_template is not set|does not define a chat template|must provide a chat template",
        explanation="The messages are put together by the model's chat template, and a base model has none.",
        remedy="Take the chat version of the model, or name a file with a template in 'chat_template'.",
    ),
    KnownError(
        "vLLM has too little memory for its cache",
        pattern=r"No available memory for the cache blocks"
        r"|larger than the maximum number of tokens that can be stored in KV cache"
        r"|is less than desired GPU memory utilization",
        explanation="vLLM takes a share of the GPU's memory at its start, and the rest after the weights is for the cache.",
        remedy="In model_params: a smaller max_model_len, or another gpu_memory_utilization; and see who else uses the GPU.",
    ),
    KnownError(
        "vLLM cannot divide the model over so many GPUs",
        pattern=r"Total number of attention heads \(\d+\) must be divisible by tensor parallel size",
        explanation="By default the model is divided over all GPUs that are there.",
        remedy="Set tensor_parallel_size in model_params to a number by which that of the attention heads can be divided.",
    ),
    KnownError(
        "the arguments are not those of vLLM's sampling",
        pattern=r"Unexpected keyword argument '(?:max_new_tokens|max_length|do_sample|num_beams|num_return_sequences)'",
        explanation="sampling_params are handed to vLLM's SamplingParams as they are.",
        remedy="Use its names: max_tokens (not max_new_tokens), temperature, top_p, ...",
    ),
    KnownError(
        "transformers does not know a generation argument",
        pattern=r"`model_kwargs` are not used by the model: \[.*'(?:max_tokens|frequency_penalty|presence_penalty|stop)'",
        explanation="sampling_params are handed to the model's generate() as they are.",
        remedy="Use its names: max_new_tokens (not max_tokens), do_sample, temperature, top_p, ...",
    ),
)
