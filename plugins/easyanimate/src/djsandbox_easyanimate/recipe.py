"""The environments of EasyAnimate: the current version, which is cloned, and the old one, of which users have a checkout."""

from __future__ import annotations

from djsandbox import EnvRecipe, InstallStep, Repository, SystemTool

from djsandbox_easyanimate.home import CURRENT_PROOF, LEGACY_PROOF, NAME

_TORCH = ("torch==2.2.0", "torchvision==0.17.0")
_LIBRARIES = (
    "accelerate==1.1.1",
    "diffusers==0.31.0",
    "transformers==4.46.2",
    "func_timeout==4.3.5",
    "wandb<=0.19.0",
)
_CONSTRAINTS = (
    *_TORCH,
    "numpy<2",  # torch 2.2 is built against numpy 1
    "huggingface-hub<1",
    "datasets>=2.19,<4",
    "setuptools<81",  # pkg_resources
    "gradio<=3.48.0",
    "xformers==0.0.24",
)
_LATER = (
    InstallStep(("kornia==0.6.12", "xformers==0.0.24"), pip_options=("--no-deps",)),  # of the torch that is there
    InstallStep(("deepspeed==0.15.4",)),
)
_TOOLS = (
    SystemTool("gpu", "training and inference"),
    SystemTool("ffmpeg", "reading and writing videos", get="apt install ffmpeg"),
)
_CHECK = "import torch, torchvision, diffusers, transformers, accelerate, omegaconf, decord, cv2, xformers, func_timeout"
_MANAGERS = ("uv", "conda", "mamba", "micromamba", "virtualenv", "venv")


def _recipe(name: str, repository: Repository) -> EnvRecipe:
    return EnvRecipe(
        name,
        python="3.10",
        managers=_MANAGERS,
        requirements=(*_TORCH, *_LIBRARIES, "setuptools"),
        constraints=_CONSTRAINTS,
        leave_out=("torch", "xformers"),
        repositories=(repository,),
        later=_LATER,
        system_tools=_TOOLS,
        check=("python", "-c", _CHECK),
    )


CURRENT = _recipe(
    "easyanimate",
    Repository(
        NAME,
        url="https://github.com/aigc-apps/EasyAnimate",
        commit="c2a70d17daa1549a22129d0cd0e02053ecccd75c",
        requirement_files=("requirements.txt",),
        proof=CURRENT_PROOF,
    ),
)
"""Version `current`, of 2025-03-06."""

LEGACY = _recipe("easyanimate_legacy", Repository(NAME, requirement_files=("requirements.txt",), proof=LEGACY_PROOF))
"""Version `legacy`: commit b54412c of 2024-07-24 with the existing sandbox's patch, which only users have."""
