"""The `--set` options that make a whole config use the stand-in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import djsandbox

from djsandbox_internvl.testing.making import StandIn

if TYPE_CHECKING:
    from pathlib import Path

TYPE = "internvl_coco_caption"
PLACEHOLDER = "<internvl_home>"


def settings_for(config: str, stand_in: StandIn, mode: str | None = None) -> list[str]:
    """One `JOB.BLOCK.KEY=VALUE` for each value of `config` that has to change.

    Jobs that run InternVL get the stand-in's environment and checkout. Paths below their `internvl_home`, or below the
    placeholder `<internvl_home>`, lead to the same place in the stand-in's, in whatever job they stand.
    """
    jobs = list(_jobs(config))
    homes = {str(values["extra_configs.internvl_home"]) for _, values in jobs if values.get("extra_configs.internvl_home")}
    settings: list[str] = []
    for job, values in jobs:
        changed: dict[str, str] = {}
        for place, value in values.items():
            moved = _moved(value, homes | {PLACEHOLDER}, stand_in.home)
            if moved != value:
                changed[place] = moved if isinstance(moved, str) else json.dumps(moved, separators=(",", ":"))
        if values.get("extra_configs.type") == TYPE:
            changed |= {f"extra_configs.{key}": value for key, value in stand_in.changes(mode).items()}
        settings += [f"{job}.{place}={value}" for place, value in changed.items()]
    return settings


def _jobs(config: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each job by the address that `--set` takes, and the values of its blocks by their places, `local` applied."""
    for job in djsandbox.load_config(config).jobs():
        values: dict[str, Any] = {}
        for name, block in (("extra_configs", job.extra_configs), ("dj_configs", job.dj_configs)):
            data = block.document.data if block.document is not None else {}
            values |= {f"{name}.{key}": value for key, value in data.items()} if isinstance(data, Mapping) else {}
        values |= {local.target.text: local.value for local in job.local}
        for link in job.inputs:  # what an earlier job gives needs no other value
            values.pop(link.target.text, None)
        yield f"{job.pipeline}.{job.stage}_job_configs.{job.index}", values


def _moved(value: Any, homes: set[str], home: Path) -> Any:
    """`value` with what lies below one of `homes` below `home` instead."""
    if isinstance(value, list):
        return [_moved(one, homes, home) for one in value]
    if isinstance(value, str):
        for one in homes:
            if value == one or value.startswith(f"{one}/"):
                return f"{home}{value[len(one) :]}"
    return value
