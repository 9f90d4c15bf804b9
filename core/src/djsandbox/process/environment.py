"""What of our own environment a child process gets to see: an allow-list, and what is named on top of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from djsandbox.redact import is_secret

# Left out on purpose: what binds a child to our Python (PYTHON*, VIRTUAL_ENV, CONDA_*, UV_PYTHON, PIP_TARGET) and what a
# scheduler says about us and not about the child (SLURM_*, MASTER_ADDR, RANK, WORLD_SIZE).
_ALLOWED = re.compile(
    "PATH|HOME|USER|LOGNAME|SHELL|TERM|TZ|LANG|LANGUAGE|LC_.+|TMPDIR|TMP|TEMP|XDG_.+|LD_LIBRARY_PATH|JAVA_HOME"
    "|CUDA.*|NVIDIA.*|CUDNN_.+|CUBLAS_.+|NCCL_.+|HIP_.+|ROCR_.+|HSA_.+"
    "|OMP_.+|MKL_.+|OPENBLAS_.+|TORCH_.+|PYTORCH_.+|TRITON_CACHE_DIR|TOKENIZERS_PARALLELISM"
    "|HF_.+|HUGGINGFACE_.+|TRANSFORMERS_.+|DIFFUSERS_.+|MODELSCOPE_.+|DATA_JUICER_.+|VLLM_.+|WANDB_.+|NLTK_DATA"
    "|(?:HTTP|HTTPS|FTP|ALL|NO)_PROXY|(?:http|https|ftp|all|no)_proxy"
    "|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|GIT_SSL_CAINFO"
    "|PIP_(?:INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|TRUSTED_HOST|CERT|CACHE_DIR|CONFIG_FILE)"
    "|UV_(?:INDEX|INDEX_URL|DEFAULT_INDEX|EXTRA_INDEX_URL|FIND_LINKS|OFFLINE|NATIVE_TLS|SYSTEM_CERTS|CACHE_DIR|CONFIG_FILE"
    "|PYTHON_INSTALL_DIR|PYTHON_INSTALL_MIRROR)"
)


def child_environment(
    extra: Mapping[str, str] | None = None, *, keep: Iterable[str] = (), source: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment for a child process.

    Args:
        extra: Variables to set, whatever their names.
        keep: Names to take over as well, if they are set: the only way for a secret (`HF_TOKEN`) to reach a child.
        source: What to take from; our own environment when not given.

    Python children are told to write their output at once (`PYTHONUNBUFFERED`), so that it can be watched live.
    """
    given = os.environ if source is None else source
    wanted = frozenset(keep)
    taken = {name: value for name, value in given.items() if name in wanted or is_inherited(name)}
    return {"PYTHONUNBUFFERED": "1", **taken, **(extra or {})}


def is_inherited(name: str) -> bool:
    """Whether a child gets the variable of this name without anybody asking for it."""
    return _ALLOWED.fullmatch(name) is not None and not is_secret(name)
