"""What VBench prints when it fails, and what helps."""

from __future__ import annotations

from djsandbox import KnownError

KNOWN_ERRORS = (
    KnownError(
        "VBench found no GPU",
        pattern=r"ProcessGroupNCCL is only supported with GPUs, no GPUs found|Distributed package doesn't have NCCL built in",
        explanation="VBench starts NCCL and moves its models to CUDA, whatever the machine has: it cannot run on a CPU.",
        remedy="Run it on a machine with an NVIDIA GPU and a torch built for CUDA.",
    ),
    KnownError(
        "VBench lacks detectron2",
        pattern=r"No module named '?detectron2",
        explanation="object_class, multiple_objects, color and spatial_relationship find things with detectron2.",
        remedy="Let djsandbox make the environment, by its recipe vbench-detectron2, or install detectron2 in yours: "
        "pip install --no-build-isolation 'detectron2 @ git+https://github.com/facebookresearch/detectron2.git'.",
    ),
    KnownError(
        "VBench could not download a model",
        pattern=r"Command '\['(?:wget|unzip|git)', .*returned non-zero exit status",
        explanation="VBench downloads the models of a dimension when it first needs them, with wget, unzip and git.",
        remedy="Put the model where VBench looks for it, below VBENCH_CACHE_DIR (~/.cache/vbench by default), or run the "
        "dimension once where there is a network.",
    ),
    KnownError(
        "openai-clip lacks pkg_resources",
        pattern=r"No module named 'pkg_resources'",
        explanation="openai-clip, which VBench needs, imports pkg_resources, which setuptools 81 and later no longer bring.",
        remedy="pip install 'setuptools<81' in VBench's environment.",
    ),
)
