"""The environments: InternVL's own, and a small one that only scores captions."""

from __future__ import annotations

from djsandbox import EnvRecipe, InstallStep, Repository, SystemTool

NAME = "internvl"
"""Of the recipe, and of its repository."""
SCORING = "internvl-scoring"

FINETUNE = "internvl_chat/internvl/train/internvl_chat_finetune.py"
EVALUATE = "internvl_chat/evaluate.sh"

_JAVA = SystemTool("java", "the tokenizer and METEOR, by which captions are scored", get="apt install default-jre-headless")

INTERNVL = EnvRecipe(
    NAME,
    python="3.9",
    managers=("uv", "conda", "mamba", "micromamba", "virtualenv", "venv"),
    requirements=(
        "torch==2.3.1",
        "torchvision==0.18.1",
        "bitsandbytes==0.43.3",  # the 0.42.0 of its requirements does not find the CUDA of newer machines
        "deepspeed==0.15.4",  # the last one that may accumulate gradients with transformers 4.37
        "datasets==2.21.0",
        "tensorboard==2.17.1",
    ),
    constraints=("numpy==1.26.4", "setuptools<81"),
    leave_out=("bitsandbytes", "deepspeed", "flash-attn", "torch", "torchvision"),
    repositories=(
        Repository(
            NAME,
            url="https://github.com/OpenGVLab/InternVL",
            commit="2410d1dbf208f0e799459aff9376e5747dbf41a2",
            requirement_files=("requirements/internvl_chat.txt",),
            proof=(FINETUNE, EVALUATE),
        ),
    ),
    later=(
        InstallStep(("ninja", "packaging", "setuptools", "wheel")),  # what it is built with
        InstallStep(("flash-attn==2.3.6",), pip_options=("--no-build-isolation",)),
    ),
    system_tools=(
        SystemTool("gpu", "training and inference"),
        SystemTool("nvcc", "building flash-attn for torch's CUDA 12", at_least="12", below="13"),
        _JAVA,
    ),
    variables={"MAX_JOBS": "4"},
    check=("python", "-c", "import torch, transformers, deepspeed, flash_attn, peft, pycocoevalcap"),
)
"""Python 3.9, transformers 4.37, and what training and evaluation need of `requirements/internvl_chat.txt`."""

INTERNVL_SCORING = EnvRecipe(
    SCORING,
    managers=("uv", "virtualenv", "venv", "conda", "mamba", "micromamba", "existing"),
    requirements=("pycocoevalcap==1.2",),
    system_tools=(_JAVA,),
    check=("python", "-c", "import pycocoevalcap.bleu.bleu, pycocoevalcap.meteor.meteor"),
)
"""pycocoevalcap alone: enough to score captions that are written already, without a GPU."""
