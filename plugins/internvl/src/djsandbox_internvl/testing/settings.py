"""The options of `djsandbox run` that make a whole config use the stand-in."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import djsandbox

from djsandbox_internvl.testing.making import StandIn

TYPE = "internvl_coco_caption"
PLACEHOLDER = "<internvl_home>"


def options_for(config: str, stand_in: StandIn, mode: str | None = None) -> list[str]:
    """The options, one a line: that the run is recorded among the stand-in's results, and `settings_for` the jobs."""
    return [f"--work_dir {stand_in.results}", *(f"--set {one}" for one in settings_for(config, stand_in, mode))]


def settings_for(config: str, stand_in: StandIn, mode: str | None = None) -> list[str]:
    """One `JOB.BLOCK.KEY=VALUE` for each value of `config` that has to change.

    Jobs that run InternVL get the stand-in's environment and checkout. Paths below their `internvl_home`, or below the
    placeholder `<internvl_home>`, lead to the same place in the stand-in's, in whatever job they stand; paths below the
    config's own `work_dir` lead to the stand-in's results, so that a dry run never writes where the experiment does.
    """
    loaded = djsandbox.load_config(config)
    jobs = list(_jobs(loaded))
    homes = {str(values["extra_configs.internvl_home"]) for _, values in jobs if values.get("extra_configs.internvl_home")}
    moves = {str(loaded.work_dir): str(stand_in.results)} | dict.fromkeys((*homes, PLACEHOLDER), str(stand_in.home))
    settings: list[str] = []
    for job, values in jobs:
        changed: dict[str, str] = {}
        for place, value in values.items():
            moved = _moved(value, moves)
            if moved != value:
                changed[place] = moved if isinstance(moved, str) else json.dumps(moved, separators=(",", ":"))
        if values.get("extra_configs.type") == TYPE:
            changed |= {f"extra_configs.{key}": value for key, value in stand_in.changes(mode).items()}
        settings += [f"{job}.{place}={value}" for place, value in changed.items()]
    return settings


def _jobs(config: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each job by the address that `--set` takes, and the values of its blocks by their places, `local` applied."""
    for job in config.jobs():
        values: dict[str, Any] = {}
        for name, block in (("extra_configs", job.extra_configs), ("dj_configs", job.dj_configs)):
            data = block.document.data if block.document is not None else {}
            values |= {f"{name}.{key}": value for key, value in data.items()} if isinstance(data, Mapping) else {}
        values |= {local.target.text: local.value for local in job.local}
        for link in job.inputs:  # what an earlier job gives needs no other value
            values.pop(link.target.text, None)
        yield f"{job.pipeline}.{job.stage}_job_configs.{job.index}", values


def _moved(value: Any, moves: Mapping[str, str]) -> Any:
    """`value` with what lies below one of the folders `moves` below what that maps to."""
    if isinstance(value, list):
        return [_moved(one, moves) for one in value]
    if isinstance(value, str) and value:
        for old, new in moves.items():
            if os.path.normpath(old) == os.curdir:  # everything lies below it
                continue
            within = os.path.relpath(value, old) if os.path.isabs(value) == os.path.isabs(old) else os.pardir
            if within.split(os.sep)[0] != os.pardir:
                return new if within == os.curdir else f"{new}/{within}"
    return value
