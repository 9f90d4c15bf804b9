"""Errors of InternVL whose cause and remedy are known."""

from __future__ import annotations

from djsandbox import KnownError

INTERNVL_ERRORS = (
    KnownError(
        "SPICE cannot be downloaded",
        r"Downloading stanford-corenlp-[\d.]+ for SPICE",
        "The official evaluation loads a program of 400 MB for SPICE before it computes any score, and the network does not "
        "let it. The captions have been written by then.",
        "score_captions: true takes the captions and computes all scores but SPICE here, without the network.",
    ),
    KnownError(
        "images are not where the meta file says",
        r"Failed to load image: .+, the dataset is: ",
        "InternVL puts other samples in the place of those whose image is missing, so that the model learns from less than "
        "the data pool holds.",
        "The path is 'root' of the meta file and 'image' of the row; root is relative to internvl_chat. Set it in "
        "coco_caption_meta_generation.",
    ),
    KnownError(
        "InternVL was started for Slurm",
        r"KeyError: 'SLURM_PROCID'",
        "Without LAUNCHER=pytorch, InternVL takes it that Slurm has started it.",
        "Do not set LAUNCHER in env_params.variables: the trainer sets it.",
    ),
)
"""In the order in which they are documented."""
