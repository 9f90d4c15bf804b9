"""The `--set` options that make a whole config use the stand-in."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import djsandbox

from djsandbox_easyanimate.testing.layout import StandIn

TYPE = "easyanimate"


def settings_for(config: str, made: StandIn, *, data: str, environments: Mapping[str, str]) -> Iterator[str]:
    """The options for `config`: `--work_dir`, and `--set JOB.BLOCK.KEY=VALUE` for each value that has to change.

    Args:
        config: Path of a sandbox config.
        made: The stand-in.
        data: The `meta_name` of the job that gets the stand-in's dataset; it is no error that there is none.
        environments: For types of other components the folder of the environment that their jobs are to use.

    All that the config keeps below its `work_dir` is kept in a folder of the same name in the stand-in's `outputs` instead:
    a dry run does not touch the results of a real one. ValueError for a config whose paths begin at EasyAnimate's folder.
    """
    loaded = djsandbox.load_config(config)
    work_dir = os.path.normpath(loaded.work_dir)
    outputs = str(made.folder / "outputs" / os.path.basename(work_dir))
    yield f"--work_dir {outputs}"
    for job in loaded.jobs():
        values: dict[str, Any] = {}
        for name, block in (("dj_configs", job.dj_configs), ("extra_configs", job.extra_configs)):
            values |= dict(_leaves(name, block.document.data if block.document else {}))
        values |= {one.target.text: one.value for one in job.local}
        kind = str(values.get("extra_configs.type"))
        changed = {place: _moved(value, work_dir, outputs) for place, value in values.items()}
        changed |= {"dj_configs.dataset_path": str(made.dataset)} if job.meta_name == data else {}
        if kind == TYPE:
            if values.get("extra_configs.paths_from") != "here":
                raise ValueError(
                    f"{config}: the paths of '{job.label}' begin at EasyAnimate's folder, and would move with it: set "
                    f"paths_from: here, or leave --for out and make ./thirdparty/models/EasyAnimate a link to {made.legacy}"
                )
            changed |= {f"extra_configs.{key}": value for key, value in made.values(values.get("extra_configs.version"))}
        elif kind in environments:
            place = os.path.abspath(environments[kind])
            changed |= {"extra_configs.env_manager": "existing", "extra_configs.env_params.path": place}
        address = f"{job.pipeline}.{job.stage}_job_configs.{job.index}"
        yield from (f"--set {address}.{place}={value}" for place, value in changed.items() if value != values.get(place))


def _leaves(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The values in a block, with the place of each."""
    if isinstance(value, (Mapping, list)):
        for key, inner in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _leaves(f"{place}.{key}", inner)
    else:
        yield place, value


def _moved(value: Any, old: str, new: str) -> Any:
    """`value` with what is a path below `old` below `new` instead."""
    if not isinstance(value, str) or not value:
        return value
    path = os.path.normpath(value)
    if path != old and not path.startswith(f"{old}{os.sep}"):
        return value
    return new + path[len(old) :]
