"""What can be found wrong with a Trinity config before anything is started."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from djsandbox import Finding
from djsandbox.errors import did_you_mean

from djsandbox_trinity.config_file import Loc, get, line_of, merged, resolved, whole_number
from djsandbox_trinity.schema import VERSION, load_schema, unknown_keys
from djsandbox_trinity.written_config import EXPERIENCES, OURS, TASKSET, TRAINING_MODES

_HUB_NAME = re.compile(r"[\w.-]+(?:/[\w.-]+)?")
_MODEL_PATHS: tuple[Loc, ...] = (("model", "model_path"), ("model", "critic_model_path"), ("model", "chat_template_path"))


@dataclass(frozen=True, slots=True)
class ConfigCheck:
    """A config file (`path`, read as `base`), and the `overrides` of the job that uses it."""

    path: str
    base: Mapping[str, Any]
    overrides: Mapping[str, Any]

    @property
    def whole(self) -> dict[str, Any]:
        """The config with its overrides."""
        return merged(self.base, self.overrides)

    def finding(
        self, loc: Loc, message: str, fix: str | None = None, severity: Literal["error", "warning"] = "error"
    ) -> Finding:
        """What is wrong at a place of the Trinity config, told at the place of the job's config it comes from."""
        if get(self.overrides, *loc) is not None:
            return Finding(("overrides", *loc), message, fix, severity)
        return Finding(("trinity_config_path",), f"{line_of(self.path, loc)}: {message}", fix, severity)

    def keys(self, *, is_release: bool) -> Iterator[Finding]:
        """Keys that Trinity does not know; doubtful only, where it may be another release than the one whose keys we know."""
        for unknown in unknown_keys(self.whole, load_schema()):
            message = f"Trinity-RFT {VERSION} knows no '{'.'.join(map(str, unknown.loc))}'"
            severity: Literal["error", "warning"] = "error" if is_release else "warning"
            yield self.finding(unknown.loc, message, did_you_mean(str(unknown.loc[-1]), unknown.known), severity)
        for loc, key in OURS.items():
            if get(self.overrides, *loc) is not None:
                fix = f"set '{key}' of the job, beside 'overrides'" if key else "leave it out: each training has one of its own"
                yield Finding(("overrides", *loc), f"the job itself decides on '{'.'.join(map(str, loc))}'", fix)

    def mode(self) -> Iterator[Finding]:
        """A mode that trains nothing."""
        mode = self.whole.get("mode", "both")
        if mode not in TRAINING_MODES:
            fix = "take both, train or colocate: overrides: {mode: both}"
            yield self.finding(
                ("mode",), f"the mode {mode!r} of Trinity leaves no checkpoint, and this job trains a model", fix
            )

    def paths(self, skipped: frozenset[Loc]) -> Iterator[Finding]:
        """Paths of models and data at which there is nothing; `skipped` are places that the job fills."""
        for loc in (*_MODEL_PATHS, *data_paths(self.whole)):
            if loc in skipped:
                continue
            value = get(self.whole, *loc)
            path = resolved(value) if isinstance(value, str) else None
            if path is None or os.path.exists(os.path.expanduser(path)) or _HUB_NAME.fullmatch(path) or not path:
                continue
            own_key = "model_path" if loc[0] == "model" else "taskset_paths"
            fix = f"mend the path; where an earlier job makes it, name it as '{own_key}' of this job"
            yield self.finding(loc, f"{'.'.join(map(str, loc))}: there is nothing at '{path}'", fix)
        for loc in data_paths(self.whole):
            value = get(self.whole, *loc)
            path = resolved(value) if isinstance(value, str) and loc not in skipped else None
            if path is not None and os.path.isfile(path):
                fix = "name the file as 'taskset_paths' of this job, which hands it over in a folder of its own"
                yield self.finding(loc, f"{'.'.join(map(str, loc))}: '{path}' is a file, and Trinity takes folders only", fix)

    def gpus(self) -> Iterator[Finding]:
        """Rollout and training that do not fit into the cluster that the config itself describes."""
        whole = self.whole
        nodes, each = (whole_number(whole, "cluster", key, default=0) for key in ("node_num", "gpu_per_node"))
        rollout = _rollout_gpus(whole)
        mode = whole.get("mode", "both")
        if not nodes or not each or rollout is None:
            return
        total = nodes * each
        if mode == "colocate" and total != 1:
            yield self.finding(("mode",), f"the mode colocate is for a single GPU, and 'cluster' has {total}", "mode: both")
        if mode == "both" and total > 1 and rollout >= total:
            message = f"rollout takes {rollout} of the {total} GPUs of 'cluster', and none is left for training"
            fix = "lower explorer.rollout_model.engine_num or tensor_parallel_size, or raise cluster.gpu_per_node"
            yield self.finding(("cluster", "gpu_per_node"), message, fix)


def data_paths(config: Mapping[str, Any]) -> list[Loc]:
    """The places of paths of data files in a config, set or not."""
    many = ("tasksets", "eval_tasksets")
    listed = {key: get(config, "buffer", "explorer_input", key) for key in many}
    return [
        (*TASKSET, "path"),
        (*EXPERIENCES, "path"),
        *(
            ("buffer", "explorer_input", key, index, "path")
            for key, items in listed.items()
            if isinstance(items, list)
            for index in range(len(items))
        ),
    ]


def gpus_needed(config: Mapping[str, Any]) -> int:
    """The GPUs of one node, where the config tells, else those of rollout and one for training; one in the mode colocate."""
    if config.get("mode") == "colocate":
        return 1
    given = whole_number(config, "cluster", "gpu_per_node", default=0)
    if given:
        return given
    return 1 if config.get("mode") == "train" else (_rollout_gpus(config) or 0) + 1


def _rollout_gpus(config: Mapping[str, Any]) -> int | None:
    """The GPUs of all engines for rollout; None where that cannot be told."""
    place = ("explorer", "rollout_model")
    if get(config, *place, "engine_type") in ("external", "tinker"):
        return 0
    models = [get(config, *place) or {}, *(get(config, "explorer", "auxiliary_models") or [])]
    total = 0
    for model in models:
        product = 1
        for key in ("engine_num", "tensor_parallel_size", "data_parallel_size", "pipeline_parallel_size"):
            number = whole_number(model, key, default=1)
            if number is None:
                return None
            product *= number
        total += product
    return total
