"""What can be found wrong with a job before it starts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from djsandbox import Finding
from djsandbox.errors import ComponentError

from djsandbox_trinity.config_check import ConfigCheck
from djsandbox_trinity.config_file import Loc, get, read_config, whole_number
from djsandbox_trinity.gpus import gpu_findings
from djsandbox_trinity.home import home_findings
from djsandbox_trinity.written_config import TASKSET, data_place

_EXISTING = "existing"


def check_job(config: Any) -> Iterator[Finding]:
    """Findings about the job's keys and about the Trinity config that it names, as far as that can be read now."""
    yield from _check_keys(config)
    yield from home_findings(config.trinity_home)
    path = config.trinity_config_path
    if path is None:
        yield Finding((), "there is no Trinity config", "set 'trinity_config_path' to Trinity's own config file")
        return
    if not Path(path).is_file():
        return  # missing, which is said elsewhere, or to be made by an earlier job
    try:
        base = read_config(path)
    except ComponentError as error:
        yield Finding(("trinity_config_path",), error.problems[0].message, error.problems[0].fix)
        return
    yield from _check_file(config, ConfigCheck(path, base, config.overrides))


def _check_keys(config: Any) -> Iterator[Finding]:
    if config.continue_from_checkpoint and config.checkpoint_root_dir is None:
        message = "'continue_from_checkpoint' needs a place that stays: the job's own folder is emptied before every run"
        yield Finding(("continue_from_checkpoint",), message, "set 'checkpoint_root_dir'")
    if config.start_ray and config.ray_address is not None:
        message = "'start_ray' starts a Ray of its own, and 'ray_address' names another"
        yield Finding(("ray_address",), message, "leave out one of the two")
    if config.taskset_paths is not None and not config.taskset_paths:
        yield Finding(("taskset_paths",), "'taskset_paths' is empty: nothing would be trained", "leave it out, or name a pool")


def _check_file(config: Any, check: ConfigCheck) -> Iterator[Finding]:
    is_release = config.trinity_home is None and not config.env_params.get("homes") and config.env_manager != _EXISTING
    yield from check.keys(is_release=is_release)
    yield from check.mode()
    skipped: set[Loc] = set()
    if config.model_path is not None:
        skipped.add(("model", "model_path"))
    if config.taskset_paths is not None:
        skipped.add((*data_place(check.whole), "path"))
        yield from _check_pools(check)
    yield from check.paths(frozenset(skipped))
    yield from check.gpus()
    yield from gpu_findings(config.num_gpus, config.launcher, check)
    yield from _check_own_ray(config, check)
    if check.base.get("checkpoint_root_dir") and config.checkpoint_root_dir is None:
        message = "the job decides where checkpoints go, and not the file: below the job's own folder in the work_dir"
        fix = f"to have them elsewhere: checkpoint_root_dir: {check.base['checkpoint_root_dir']}"
        yield check.finding(("checkpoint_root_dir",), message, fix, "warning")


def _check_own_ray(config: Any, check: ConfigCheck) -> Iterator[Finding]:
    """A cluster of another size than the Ray that is started would be waited for without an end."""
    if not config.start_ray:
        return
    nodes, each = (whole_number(check.whole, "cluster", key, default=0) or 0 for key in ("node_num", "gpu_per_node"))
    if nodes > 1:
        message = f"'start_ray' starts a Ray on this machine alone, and 'cluster' has {nodes} nodes"
        fix = "start Ray on all of them and name it as 'ray_address', or take overrides: {cluster: {node_num: 1}}"
        yield check.finding(("cluster", "node_num"), message, fix)
    if config.num_gpus is not None and config.num_gpus < each:
        message = f"'num_gpus' reserves {config.num_gpus} for a training, and the Trinity config wants {each} on a node"
        yield Finding(("num_gpus",), message, "leave out 'num_gpus', or lower cluster.gpu_per_node in 'overrides'")


def _check_pools(check: ConfigCheck) -> Iterator[Finding]:
    if get(check.whole, *TASKSET[:-1], "tasksets"):
        message = "'taskset_paths' takes the place of one 'taskset', and the Trinity config has a list, 'tasksets'"
        yield check.finding((*TASKSET[:-1], "tasksets"), message, "give the Trinity config a single 'taskset'")
    if check.whole.get("stages"):
        message = "'taskset_paths' takes the place of the data of a training in one stage, and the Trinity config has 'stages'"
        yield check.finding(("stages",), message, "name the data in 'overrides'")
