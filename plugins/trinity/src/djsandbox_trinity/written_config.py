"""The config that Trinity runs with: the user's file, the job's `overrides`, and what the job itself decides."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from djsandbox_trinity.config_file import at, get, merged
from djsandbox_trinity.worker.run import NAMESPACE_VARIABLE, ROOT_VARIABLE

TRAINING_MODES = ("both", "train", "colocate")
"""The modes that leave a checkpoint."""

TASKSET = ("buffer", "explorer_input", "taskset")
EXPERIENCES = ("buffer", "trainer_input", "experience_buffer")
_SPLITS = ("train", "test", "validation")

OURS = {
    ("checkpoint_root_dir",): "checkpoint_root_dir",
    ("continue_from_checkpoint",): "continue_from_checkpoint",
    ("ray_namespace",): None,
    ("cluster", "ray_address"): "ray_address",
}
"""Places of Trinity's config that the job sets itself, and the job's key for each, where it has one."""


def data_place(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Where the path of the training data stands: the taskset's, or, in the mode `train`, the experiences'."""
    return EXPERIENCES if config.get("mode") == "train" else TASKSET


def written(
    base: Mapping[str, Any],
    overrides: Mapping[str, Any],
    *,
    continues: bool,
    has_address: bool,
    model_path: str | None = None,
    pool: tuple[str, str] | None = None,
    is_one_of_many: bool = False,
) -> dict[str, Any]:
    """The whole config of one training.

    The checkpoint root is a folder that no training had before, and the Ray namespace one that no other uses, so that nothing
    is picked up silently, and trainings on one cluster do not take each other's actors: both are told by variables when it
    starts. `pool` is the name and the path of its data.
    """
    config = merged(base, overrides)
    config = merged(
        config,
        {
            "checkpoint_root_dir": f"${{oc.env:{ROOT_VARIABLE}}}",
            "ray_namespace": f"${{oc.env:{NAMESPACE_VARIABLE}}}",
            "continue_from_checkpoint": continues,
        },
    )
    if has_address:
        config = merged(config, at("cluster", "ray_address", value="auto"))
    if model_path is not None:
        config = merged(config, at("model", "model_path", value=model_path))
    if pool is not None:
        name, path = pool
        config = merged(config, at(*data_place(config), "path", value=path))
        if is_one_of_many:
            config["name"] = f"{config.get('name') or 'rft'}-{name}"
    return config


def as_folder(pool: str, split: object, folder: Path) -> str:
    """The path of a data pool as Trinity can load it: it takes folders only, so a file gets one of its own, with a link."""
    path = Path(pool).absolute()
    if path.is_dir():
        return str(path)
    link = folder / f"{split if split in _SPLITS else 'train'}{''.join(path.suffixes[-2:])}"
    folder.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(path)
    return str(folder.absolute())


def wants_weights(config: Mapping[str, Any]) -> bool:
    """Whether the last checkpoint holds the model in Hugging Face's format."""
    is_tinker = get(config, "trainer", "trainer_type") == "tinker" or bool(get(config, "model", "tinker", "enable"))
    return not is_tinker and (bool(config.get("stages")) or get(config, "trainer", "save_hf_checkpoint") != "never")
