"""Known errors of EasyAnimate."""

from __future__ import annotations

from djsandbox import KnownError

KNOWN_ERRORS = (
    KnownError(
        "the base model of EasyAnimate is no folder",
        r"RuntimeError: \S+/transformer/config\.json does not exist",
        "EasyAnimate reads the transformer's config.json as a file of this machine, whatever stands in "
        "pretrained_model_name_or_path: the name of a model on a hub fails there.",
        "Download the whole model, and give its folder as pretrained_model_name_or_path.",
    ),
    KnownError(
        "a Weights & Biases key is missing",
        r"wandb\.errors\S*: (?:api_key not configured|No API key configured)",
        "The old training of EasyAnimate reports to Weights & Biases in any case, and WANDB_MODE asks for an account.",
        "Unset WANDB_MODE (without a key it is then offline), or set WANDB_API_KEY.",
    ),
    KnownError(
        "weights that do not fit EasyAnimate's model",
        r"RuntimeError: Error\(s\) in loading state_dict for \w*Transformer3DModel",
        "transformer_path, or the size of the videos, belongs to another model than config_path and "
        "pretrained_model_name_or_path.",
        "Take the weights, the config file and the size of one generation: 256 pixels for "
        "easyanimate_mm_16x256x256_pretrain.safetensors.",
    ),
    KnownError(
        "OpenCV lacks a library of the system",
        r"ImportError: (?:libGL\.so\.1|libgthread-2\.0\.so\.0): cannot open shared object file",
        "EasyAnimate asks for opencv-python, which is linked to the libraries of a screen.",
        "Install them: apt install libgl1 libglib2.0-0.",
    ),
)
"""In the order in which they are documented."""
