"""Known errors of graphics cards, their drivers and their libraries."""

from __future__ import annotations

from djsandbox.components.known_errors import KnownError

KNOWN_ERRORS = (
    KnownError(
        "the GPU has too little free memory",
        r"(?:CUDA|HIP) out of memory|CUDA error: out of memory|CUBLAS_STATUS_ALLOC_FAILED|\bOutOfMemoryError: CUDA\b",
        "What the program keeps on the graphics card, together with what other programs keep there, is more than it has.",
        "Use a smaller batch size (and more steps of gradient accumulation), shorter sequences, smaller images or gradient "
        "checkpointing. See with nvidia-smi what else is on the card; let fewer tasks run at once (launcher: {max_parallel: "
        "1}).",
    ),
    KnownError(
        "vLLM finds too little free GPU memory",
        r"No available memory for the cache blocks|is less than desired GPU memory utilization",
        "vLLM takes a fixed share of the whole card when it starts, and what is free is less, or too little is left after "
        "loading.",
        "If something else is on the card, end it or lower gpu_memory_utilization to what is free; if the card is empty, "
        "raise it, or choose a smaller max_model_len.",
    ),
    KnownError(
        "no GPU that could be used",
        r"RuntimeError: (?:No CUDA GPUs are available|Found no NVIDIA driver on your system)"
        r"|AssertionError: Torch not compiled with CUDA enabled"
        r"|Attempting to deserialize object on a CUDA device but torch\.cuda\.is_available\(\) is False",
        "The program wants a graphics card and sees none, or its torch was built without CUDA.",
        "Check that nvidia-smi lists the card and that CUDA_VISIBLE_DEVICES does not hide it (tasks get the cards that the "
        "launcher has: launcher: {gpus: ...}). A torch without CUDA is replaced by env_params: {requirements: [torch==..., "
        "...]}, with the index of CUDA builds in pip_options.",
    ),
    KnownError(
        "the NVIDIA driver is too old for this CUDA",
        r"The NVIDIA driver on your system is too old|CUDA driver version is insufficient for CUDA runtime version",
        "torch, or another library, was built for a newer CUDA than the machine's driver knows; nvidia-smi shows which one it "
        "knows.",
        "Update the driver, or take a torch that was built for an older CUDA: env_params: {requirements: [torch==...]}, with "
        '"--index-url", "https://download.pytorch.org/whl/cu118" (or as fits) in pip_options.',
    ),
    KnownError(
        "a library was not built for this GPU",
        r"no kernel image is available for execution on the device|is not compatible with the current PyTorch installation",
        "torch, or an extension that was compiled for it, holds no code for this kind of graphics card: the card is newer or "
        "older than what the build is for.",
        "Take a torch whose CUDA build knows the card: env_params: {requirements: [torch==...]}. Extensions such as "
        "flash-attn are then built again; TORCH_CUDA_ARCH_LIST in env_params: {variables: ...} says for which cards.",
    ),
    KnownError(
        "a CUDA library was not found",
        r"lib(?:cudart|cublas|cublasLt|cudnn\w*|cufft|curand|cusolver|cusparse|cupti|nvrtc|nccl)\.so[.\d]*: "
        r"cannot open shared object file",
        "A package was compiled for another CUDA release than the one that torch brings or that is installed here.",
        "Take a build of the package that fits the CUDA of torch (python -c 'import torch; print(torch.version.cuda)'), or "
        "name the folder of the missing library in LD_LIBRARY_PATH, which tasks get.",
    ),
)
"""In the order in which they are documented."""
