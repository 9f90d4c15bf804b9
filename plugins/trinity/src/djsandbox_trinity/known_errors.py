"""Known errors of Trinity-RFT and of Ray under it."""

from __future__ import annotations

from djsandbox import KnownError

KNOWN_ERRORS = (
    KnownError(
        "Trinity has too few GPUs",
        r"Not enough GPUs for trainer\. Explorer requires|Total GPU number \(\d+\) is less than the number of GPUs required"
        r"|Colocate mode requires exactly 1 GPU",
        "Rollout and training each need GPUs of their own; only in the mode colocate do they share a single one.",
        "Raise num_gpus, lower explorer.rollout_model.engine_num or tensor_parallel_size in overrides, or take overrides: "
        "{mode: colocate} for a single GPU.",
    ),
    KnownError(
        "Trinity does not know how long the model's context is",
        r"Unable to determine `max_model_len`",
        "Neither the config nor the model's own config.json says it.",
        "Set it: overrides: {model: {max_model_len: 4096}}.",
    ),
    KnownError(
        "Ray refuses whoever has not its token",
        r"InvalidAuthToken|Ray cluster authentication failed",
        "Ray 2.52 and later can ask for a token, and another one is in use here, or none was given.",
        "Give the cluster's in RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH, or let a Ray of its own be started: start_ray: true.",
    ),
    KnownError(
        "Trinity cannot read the taskset",
        r"\bDatasetNotFoundError\b|Couldn't find any data file at",
        "The path of the taskset is no folder with data files, and no name of a data set that can be had. A single file is no "
        "folder.",
        "Name the file as taskset_paths of the job: it is then handed over in a folder.",
    ),
)
"""In the order in which they are documented."""
