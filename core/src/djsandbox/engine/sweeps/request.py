"""What the parent tells a trial to do: plain data, through a pipe, because settings may be secrets and values long."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from djsandbox.config.load import load_config
from djsandbox.config.model import Block, LocalValue, SandboxConfig
from djsandbox.config.references import parse_target
from djsandbox.engine.session import TrialScope
from djsandbox.engine.sweeps.targets import with_values
from djsandbox.errors import ConfigError, Position
from djsandbox.journal.keys import content_key


class ConfigChangedError(ConfigError):
    """The config, code or data is not what it was when its sweep began: no further trial could be compared."""


@dataclass(frozen=True, slots=True)
class TrialRequest:
    """One trial: the config as the parent read it, and the values to put into it.

    `path` is where modules are found; `local` are (job id, target, value, file, line, if_there); `metric` is what the trial
    reports, see `Objective.to_data`; `values` are those of the parameters; `folder` is shared by the trials, `work_dir` is
    the own one; `basis` is what all trials rest on, see `Basis.to_fields`.
    """

    file: str
    settings: list[str]
    options: dict[str, Any]
    path: list[str]
    number: int
    local: list[list[Any]]
    metric: dict[str, Any]
    values: dict[str, Any]
    folder: str
    work_dir: str
    basis: dict[str, Any]
    resume: bool

    def to_json(self) -> str:
        """The request as text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> TrialRequest:
        """The request that `to_json` gave."""
        return cls(**json.loads(text))

    def scope(self) -> TrialScope:
        """Which trial the run is."""
        return TrialScope(self.number, Path(self.folder), self.values)

    def config(self) -> SandboxConfig:
        """The config of the trial; ConfigChangedError where the file is not what the parent read."""
        config = load_config(self.file, self.settings, self.options)
        if config_digest(config) != self.basis["config"]:
            fix = "undo that and go on with --resume, or run it again: a new sweep"
            raise ConfigChangedError(f"{self.file} was changed while its sweep was running", fix=fix)
        config = replace(config, work_dir=Path(self.work_dir), hpo_config=None, resume=self.resume)
        values: dict[str, list[LocalValue]] = {}
        for job_id, target, value, file, line, if_there in self.local:
            values.setdefault(job_id, []).append(LocalValue(parse_target(target), value, Position(file, line), if_there))
        return with_values(config, values)


def config_digest(config: SandboxConfig) -> str:
    """A hash of all that decides what the jobs of `config` do; not of where it is recorded."""
    jobs = {
        job.id: {
            "hook": job.hook,
            "meta_name": job.meta_name,
            "input": {link.target.text: link.reference.text for link in job.inputs},
            "output": repr(job.outputs),
            "local": [[value.target.text, repr(value.value)] for value in job.local],
            "blocks": [_content(job.dj_configs), _content(job.extra_configs)],
        }
        for job in config.jobs()
    }
    iteration = {
        "max_iter_num": config.max_iter_num,
        "targets": [target.text for target in config.iter_targets],
        "mode": config.iter_targets_mode,
        "updater": [[one.source.text, one.pipeline, one.meta_name, one.target.text] for one in config.iter_updater],
    }
    return content_key({"jobs": jobs, "iteration": iteration})


def _content(block: Block) -> str:
    return repr(block.document.data if block.document else block.path)
