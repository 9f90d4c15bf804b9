"""The environments that VBench runs in."""

from __future__ import annotations

from djsandbox import EnvRecipe, InstallStep, SystemTool

_EVALUATING = "evaluating videos with VBench, whose code asks for CUDA"
_BUILDING = "building detectron2, which four dimensions need"
_DOWNLOADS = "VBench's downloads of its models"

_REQUIREMENTS = (
    "vbench==0.1.5",
    "torch==2.3.1",  # built for CUDA 12.1, the last that VBench and detectron2 are made for
    "torchvision==0.18.1",
    "transformers==4.33.2",
    "setuptools<81",  # openai-clip imports pkg_resources, which later ones lack
)
_CONSTRAINTS = ("numpy<2", "torch==2.3.1", "timm>=0.9,<=1.0.12")
_TOOLS = (
    SystemTool("gpu", _EVALUATING),
    SystemTool("wget", _DOWNLOADS, get="apt install wget"),
    SystemTool("unzip", _DOWNLOADS, get="apt install unzip"),
    SystemTool("git", "the DINO model of subject_consistency with load_ckpt_from_local, and detectron2", get="apt install git"),
)

VBENCH = EnvRecipe(
    "vbench",
    python="3.10",
    requirements=_REQUIREMENTS,
    constraints=_CONSTRAINTS,
    system_tools=_TOOLS,
    check=("python", "-c", "import vbench.launch.evaluate"),
)
"""VBench 0.1.5, for all dimensions but the four that need detectron2."""

VBENCH_DETECTRON2 = EnvRecipe(
    "vbench-detectron2",
    python="3.10",
    requirements=(*_REQUIREMENTS, "wheel", "ninja"),
    constraints=_CONSTRAINTS,
    later=(
        InstallStep(
            ("detectron2 @ git+https://github.com/facebookresearch/detectron2.git@b7c7f4ba82192ff06f2bbb162b9f67b00ea55867",),
            pip_options=("--no-build-isolation",),
        ),
    ),
    system_tools=(
        *_TOOLS,
        SystemTool("nvcc", _BUILDING, at_least="12", below="13"),  # that of torch
        SystemTool("g++", _BUILDING, get="apt install g++"),
    ),
    check=("python", "-c", "import vbench.launch.evaluate, detectron2._C"),
)
"""The same with detectron2, which is built from source."""
