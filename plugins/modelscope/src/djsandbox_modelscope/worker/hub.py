"""Models and datasets of ModelScope's hub: asked for once, and told at once where it cannot be reached."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from .faults import Fault

_SECONDS = 5.0
"""How long the hub may take to answer at all."""


def leave_local_models_alone() -> None:
    """Keep ModelScope from asking the hub, with many tries, whether a local folder is the latest version of its model."""
    from modelscope.hub import check_model  # noqa: PLC0415

    check_model.check_local_model_is_latest = _nothing


def model(name: str, revision: str | None) -> str:
    """The folder of a hub's model, downloaded or checked where the hub answers, else from the cache."""
    from modelscope.hub.snapshot_download import snapshot_download  # noqa: PLC0415

    problem = _unreachable()
    if problem is None:
        try:
            return str(snapshot_download(name, revision=revision))
        except Exception as error:  # of its own and of requests; all mean the same here
            problem = f"it answers, but: {_short(error)}"
    try:
        folder = str(snapshot_download(name, revision=revision, local_files_only=True))
    except Exception:
        raise Fault(
            f"ModelScope's hub cannot give the model '{name}': {problem}; nor is it in the cache, {cache()}",
            "download it where there is a network (modelscope download --model NAME --local_dir FOLDER) and give its folder",
        ) from None
    sys.stderr.write(f"WARNING: {problem}; taking the model from the cache: {folder}\n")
    return folder


def dataset(asked: Mapping[str, Any], split: str) -> Any:
    """A dataset of the hub."""
    from modelscope.msdatasets import MsDataset  # noqa: PLC0415

    name = asked["dataset_name"]
    problem = _unreachable()
    if problem is not None:
        raise Fault(
            f"ModelScope's hub cannot give the dataset '{name}': {problem}",
            "download it where there is a network, and give the path of its file",
        )
    options = {key: value for key, value in asked.items() if value is not None}
    try:
        loaded = MsDataset.load(**{"split": split, **options})
    except Exception as error:
        raise Fault(f"ModelScope's hub cannot give the dataset '{name}': {_short(error)}") from error
    return loaded.ds_instance if hasattr(loaded, "ds_instance") else loaded


def cache() -> str:
    """Where downloads of the hub lie."""
    return os.path.expanduser(os.environ.get("MODELSCOPE_CACHE") or "~/.cache/modelscope")


def _unreachable() -> str | None:
    """Why the hub cannot be reached; None where it answers, whatever it says."""
    if os.environ.get("DJSANDBOX_OFFLINE", "0") not in ("", "0"):
        return "DJSANDBOX_OFFLINE forbids the network"
    import requests  # noqa: PLC0415
    from modelscope.hub.utils.utils import resolve_endpoint  # noqa: PLC0415

    endpoint = os.environ.get("MODELSCOPE_ENDPOINT") or resolve_endpoint()
    try:
        requests.head(endpoint, timeout=_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        return f"{endpoint} does not answer within {_SECONDS:.0f} seconds ({type(error).__name__})"
    return None


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else f"{text[:300]}..."


def _nothing(*_args: Any, **_options: Any) -> None:
    """Stands in for the question."""
