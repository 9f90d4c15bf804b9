"""The environments of Trinity-RFT 0.6.0."""

from __future__ import annotations

from dataclasses import replace

from djsandbox import EnvRecipe, InstallStep, Repository, SystemTool

from djsandbox_trinity.home import PROOF, SOURCE

_TRINITY = "trinity-rft==0.6.0"
_VERL = "verl==0.9.1"

# What Trinity-RFT and verl ask for. They are installed without their dependencies, because no resolver can satisfy these:
# verl 0.9.1 wants a transformers below 5.11, Trinity-RFT one from 5.12.1, and earlier releases of verl a numpy below 2.
_SHARED = (
    "ray[default]==2.60.0",
    "transformers>=5.12.1,<5.13",  # the nearest to what verl asks for
    "datasets>=4,<6",
    "tensordict>=0.8,!=0.9.0,<=0.10",
    "numpy>=2,<3",
    "accelerate>=1,<2",
    "aiosqlite",
    "codetiming",
    "dill",
    "fire",
    "flask",
    "fsspec>=2023.10.0",
    "hydra-core>=1.3,<2",
    "jsonlines",
    "latex2sympy2_extended",
    "math_verify>=0.8,<1",
    "matplotlib",
    "networkx",
    "ninja",
    "nvidia-ml-py",
    "omegaconf>=2.3,<3",
    "openai",
    "pandas",
    "peft",
    "psutil",
    "psycopg2-binary",
    "pyarrow>=19",
    "pybase64",
    "pybind11",
    "pylatexenc",
    "requests",
    "sortedcontainers",
    "sqlalchemy[asyncio]>=2,<3",
    "streamlit",
    "tensorboard",
    "torchdata",
    "typer>=0.23",
    "wandb",
    "word2number",
)
_FLASH_ATTENTION = InstallStep(("flash-attn>=2.8.3,<3",), pip_options=("--no-build-isolation",))
_WITHOUT_DEPENDENCIES = ("--no-deps",)
_TOOLS = (
    SystemTool("nvcc", "building flash-attn for the CUDA of torch 2.11", at_least="13.0"),
    SystemTool("gpu", "training and rollout: Trinity-RFT has no way to train on a CPU"),
)
_CHECK = ("python", "-c", "from trinity.common.config import load_config; import ray, torch, verl, vllm, flash_attn")

TRINITY = EnvRecipe(
    "trinity",
    python="3.11",
    managers=("uv", "conda", "mamba", "micromamba", "virtualenv", "venv", "existing"),
    requirements=("torch==2.11.0", "vllm==0.23.0", *_SHARED),
    constraints=("torch==2.11.0",),
    later=(InstallStep((_VERL, _TRINITY), pip_options=_WITHOUT_DEPENDENCIES), _FLASH_ATTENTION),
    system_tools=_TOOLS,
    check=_CHECK,
)
"""Release 0.6.0 from the package index, with vLLM."""

TRINITY_SOURCE = replace(
    TRINITY,
    name=SOURCE,
    repositories=(Repository("trinity", install="editable_without_dependencies", proof=PROOF),),
    later=(InstallStep((_VERL,), pip_options=_WITHOUT_DEPENDENCIES), _FLASH_ATTENTION),
)
"""The same around a checkout of the user's (`trinity_home`), instead of the release."""

TRINITY_CPU = EnvRecipe(
    "trinity-cpu",
    python="3.11",
    managers=("virtualenv", "venv", "uv"),
    requirements=("torch==2.13.0", *_SHARED),
    constraints=("torch==2.13.0",),
    later=(InstallStep((_VERL, _TRINITY), pip_options=_WITHOUT_DEPENDENCIES),),
    check=("python", "-c", "from trinity.common.config import load_config; import ray, torch, verl"),
)
"""No vLLM and no flash-attn: enough for `trinity --help` and to have configs checked, without a GPU."""
