"""Known errors of Python packages that do not go together, and of installing them."""

from __future__ import annotations

from djsandbox.components.known_errors import KnownError

KNOWN_ERRORS = (
    KnownError(
        "bitsandbytes does not find its CUDA",
        r"CUDA Setup failed despite (?:GPU|CUDA) being available|\bbitsandbytes library load error\b"
        r"|Could not load bitsandbytes native library|Attempted to use bitsandbytes native library functionality",
        "bitsandbytes, torch and CUDA do not go together: this bitsandbytes has no library for the CUDA that torch was built "
        "for.",
        'Take a newer one, whatever other files pin: env_params: {requirements: ["bitsandbytes>=0.43"], leave_out: '
        "[bitsandbytes]}; if that does not help, also a torch for the CUDA of your GPU. It is a new environment, in which "
        "flash-attn is built anew, too. It is right when this says SUCCESS: djsandbox envs run NAME -- python -m "
        "bitsandbytes.",
    ),
    KnownError(
        "deepspeed is newer than the training code",
        r"It is illegal to call Engine\.step\(\) inside no_sync"
        r"|no.sync context manager is incompatible with gradient ?partitioning",
        "Since 0.16 deepspeed refuses what older releases of transformers and accelerate do when they accumulate gradients.",
        'Take the last one before: env_params: {requirements: ["deepspeed==0.15.4"], leave_out: [deepspeed]}. The second '
        "passes over what the requirements files of the repository say of it.",
    ),
    KnownError(
        "flash-attn was built for another torch",
        r"(?:flash_attn|flash_attn_2_cuda)\S*\.so: undefined symbol",
        "flash-attn is compiled for one release of torch, and torch has been changed since.",
        "Have it built after torch, and for it: as a later step of the recipe with --no-build-isolation. A changed env_params "
        "makes a new environment, in which all of it is built anew.",
    ),
    KnownError(
        "nvcc, the CUDA compiler, is missing",
        r"CUDA_HOME environment variable is not set|CUDA_HOME does not exist"
        r"|\bnvcc was not found|\bnvcc: (?:command )?not found|No such file or directory: '[^']*\bnvcc'",
        "A package is compiled for the GPU, and that needs the CUDA toolkit; the driver alone does not have it.",
        "Install the toolkit of the CUDA that torch was built for, and name its folder in CUDA_HOME (/usr/local/cuda). In a "
        "container, take an image whose name has 'devel'.",
    ),
    KnownError(
        "the CUDA compiler does not fit torch",
        r"The detected CUDA version \([\d.]+\) mismatches the version that was used to compile PyTorch",
        "A package is compiled with another CUDA release than the one that torch was built with.",
        "Name the folder of the right toolkit in CUDA_HOME, or take a torch for the one that is installed: env_params: "
        "{requirements: [torch==...]}.",
    ),
    KnownError(
        "a compiler is missing",
        r"unable to execute '?[\w./+-]*(?:cc|\+\+)(?:-\d+)?'?: No such file"
        r"|command '[^']*(?:cc|\+\+)(?:-\d+)?' failed: No such file"
        r"|No such file or directory: '(?:[^']*[/-])?(?:g?cc|c\+\+|g\+\+|clang|cmake|ninja|make)(?:-\d+)?'"
        r"|\b(?:gcc|g\+\+|cc|c\+\+|cmake|make): (?:command )?not found|Failed to find C compiler"
        r"|Ninja is required to load C\+\+|fatal error: Python\.h: No such file",
        "A package has no build for this system and is compiled here, or compiles code when it runs.",
        "Install a compiler and the headers of Python: apt install build-essential python3-dev (cmake, ninja-build). Or take "
        "a release of the package that is built for your Python and system.",
    ),
    KnownError(
        "the package index gives nothing",
        r"error: Failed to fetch: `?https?://|\bCondaHTTPError\b|\(from versions: none\)|because the network was disabled"
        r"|\bwas not found in the package registry|\bNo solution found when resolving|\bERROR: No matching distribution found"
        r"|\bERROR: Could not find a version that satisfies the requirement"
        r"|\bPackagesNotFoundError: The following packages are (?:not available|missing)"
        r"|Could not install packages due to an OSError: HTTPSConnectionPool",
        "The index does not answer or must not be asked (offline), or it has nothing of that name, or of the versions that are "
        "required together, for this Python and system.",
        "Check the name and the versions, the network, the proxy (HTTPS_PROXY) and the index (UV_DEFAULT_INDEX, "
        "PIP_INDEX_URL). Without a "
        'network, have the wheels in a folder: env_params: {pip_options: ["--no-index", "--find-links", FOLDER]}.',
    ),
)
"""In the order in which they are documented."""
