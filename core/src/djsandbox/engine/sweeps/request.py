"""What the parent tells a trial to do: plain data, in an environment variable of the child process."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from djsandbox.config.load import load_config
from djsandbox.config.model import Block, Job, LocalValue, SandboxConfig
from djsandbox.config.references import parse_target
from djsandbox.engine.placement import Placement
from djsandbox.engine.session import TrialScope
from djsandbox.errors import ConfigError, Position
from djsandbox.journal.keys import content_key

VARIABLE = "DJSANDBOX_TRIAL"


@dataclass(frozen=True, slots=True)
class TrialRequest:
    """One trial: the config as the parent read it, and the values to put into it.

    `path` is where modules are found; `local` are (job id, target, value, file, line); `metric` is what the trial reports, see
    `Objective.to_data`; `digest` is `config_digest` of the parent's config.
    """

    file: str
    settings: list[str]
    options: dict[str, Any]
    path: list[str]
    number: int
    local: list[list[Any]]
    metric: dict[str, Any]
    folder: str
    digest: str
    resume: bool

    def to_environment(self) -> dict[str, str]:
        """Our own environment and the request; not the command line, because settings may be secrets."""
        return {**os.environ, "PYTHONUNBUFFERED": "1", VARIABLE: json.dumps(asdict(self))}

    @classmethod
    def taken(cls) -> TrialRequest:
        """The request in this process's environment, which is taken out so that no child inherits it."""
        return cls(**json.loads(os.environ.pop(VARIABLE)))

    def scope(self) -> TrialScope:
        """Which trial the run is."""
        return TrialScope(self.number, Path(self.folder))

    def config(self) -> SandboxConfig:
        """The config of the trial; ConfigError where the file is not what the parent read."""
        config = load_config(self.file, self.settings, self.options)
        if config_digest(config) != self.digest:
            raise ConfigError(f"{self.file} was changed while its sweep was running", fix="begin a new sweep: run it again")
        work_dir = Path(Placement(trial=self.number).place(str(config.work_dir)))
        config = replace(config, work_dir=work_dir, hpo_config=None, resume=self.resume)
        values: dict[str, list[LocalValue]] = {}
        for job_id, target, value, file, line in self.local:
            values.setdefault(job_id, []).append(LocalValue(parse_target(target), value, Position(file, line)))
        return with_local(config, values)


def with_local(config: SandboxConfig, values: Mapping[str, list[LocalValue]]) -> SandboxConfig:
    """`config` with further values in its jobs, by job id."""

    def changed(job: Job) -> Job:
        return replace(job, local=(*job.local, *values.get(job.id, ())))

    return replace(
        config,
        pipelines=tuple(replace(pipeline, jobs=tuple(map(changed, pipeline.jobs))) for pipeline in config.pipelines),
    )


def config_digest(config: SandboxConfig) -> str:
    """A hash of all that decides what the jobs of `config` do; not of where it is recorded."""
    jobs = [
        {
            "hook": job.hook,
            "meta_name": job.meta_name,
            "input": {link.target.text: link.reference.text for link in job.inputs},
            "output": repr(job.outputs),
            "local": [[value.target.text, repr(value.value)] for value in job.local],
            "blocks": [
                repr(block.document.data if block.document else block.path) for block in (job.dj_configs, job.extra_configs)
            ],
        }
        for job in config.jobs()
    ]
    iteration = {
        "max_iter_num": config.max_iter_num,
        "targets": [target.text for target in config.iter_targets],
        "mode": config.iter_targets_mode,
        "updater": {
            update.source.text: [update.pipeline, update.meta_name, update.target.text] for update in config.iter_updater
        },
    }
    return content_key({"jobs": {job.id: data for job, data in zip(config.jobs(), jobs, strict=True)}, "iteration": iteration})


def _content(block: Block) -> str:
    return repr(block.document.data if block.document else block.path)
