"""The environments that models are run in."""

from __future__ import annotations

from djsandbox import EnvRecipe, SystemTool

HUGGINGFACE = EnvRecipe(
    "llm-huggingface",
    python="3.11",
    requirements=("torch==2.13.0", "transformers==4.57.6", "accelerate==1.15.0"),
    check=("python", "-c", "import torch, transformers, accelerate"),
)
"""transformers 4 with torch, on a GPU or a CPU."""

VLLM = EnvRecipe(
    "llm-vllm",
    python="3.12",
    requirements=("vllm==0.32.0", "torch==2.13.0"),
    system_tools=(SystemTool("gpu", "running models with vLLM"),),
    check=("python", "-c", "import vllm"),
)
"""vLLM, with the build of torch that it is made for."""
