"""The sweep backend: W&B's server chooses the trials, asked by W&B's own agent."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from djsandbox import ComponentConfig, Finding, Parameter, SandboxError, SweepConfig, Sweeper, Trial, TrialResult
from pydantic import Field

from djsandbox_wandb.account import has_key, server, website
from djsandbox_wandb.agents import AgentProcess
from djsandbox_wandb.tracker import TRIAL_VARIABLE, project_name

RECORD = "wandb.json"
_TRACKERS, _OURS = "DJSANDBOX_TRACKERS", "djsandbox-wandb:wandb"


class WandbSweeper(Sweeper):
    """Leaves the choice of trials to a sweep on W&B's server; each trial is a run of it."""

    class Config(ComponentConfig):
        """What the `sweeper` block of a sweep file says beside its type."""

        entity: str | None = None
        """The W&B team or user; your default one where left out."""
        project: str | None = None
        """The W&B project; `project_name` of the config where left out."""
        timeout: float = Field(default=300.0, gt=0)
        """Seconds to wait for the server to give the next trial, before the sweep is given up."""

    libraries = ("wandb",)

    def __init__(self, config: ComponentConfig, sweep: SweepConfig, folder: Path) -> None:
        super().__init__(config, sweep, folder)
        self._ids: dict[str, Any] = {}
        self._name = ""
        self._trials: dict[int, dict[str, Any]] = {}
        self._again: list[int] = []
        self._next = 1
        self._agents: list[AgentProcess] = []
        self._busy: dict[int, AgentProcess] = {}

    def check(self) -> Iterable[Finding]:
        """Say what is needed, where nobody is logged in."""
        if not has_key():
            fix = (
                "wandb login, or set WANDB_API_KEY; without an account the same sweep file is searched by djsandbox-optuna, "
                "where neither 'hpo_backend' nor 'sweeper' names wandb"
            )
            yield Finding((), f"W&B's own sweep needs a login at {server()}, and there is no API key", fix)
        mode = os.environ.get("WANDB_MODE")
        if mode in ("offline", "dryrun", "disabled"):
            yield Finding((), f"W&B's own sweep is on its server, but WANDB_MODE is '{mode}'", "unset WANDB_MODE")

    def open(self, name: str, results: Sequence[TrialResult]) -> None:
        """Make the sweep on the server, or go on with the one that the record in the folder names."""
        ended = {result.trial.number for result in results}
        self._name = name
        record = self._recorded(name)
        if record is None:
            if ended and self.sweep.method == "grid":
                fix = "begin a new sweep: run without --resume"
                raise SandboxError(f"W&B would begin the grid anew: {self.folder / RECORD} does not know this sweep", fix=fix)
            self._ids, self._trials = self._created(), {}
        else:
            self._ids = record["ids"]
            self._trials = {int(number): trial for number, trial in record["trials"].items()}
        self._again = sorted(self._trials.keys() - ended)
        self._next = max([*ended, *self._trials], default=0) + 1
        self._agents, self._busy = [], {}
        self._write()
        ids = self._ids
        if ids["entity"]:
            self.notice(f"W&B: {website()}/{ids['entity']}/{ids['project']}/sweeps/{ids['sweep_id']}")

    def ask(self) -> Trial | None:
        """The next trial: first those that never ended, then what the server gives."""
        if self._again:
            number = self._again.pop(0)
            return Trial(number, self._trials[number]["values"])
        agent = next((one for one in self._agents if one not in self._busy.values()), None)
        if agent is None:
            agent = AgentProcess("run", self._ids, self.folder, f"agent_{len(self._agents) + 1}")
            self._agents.append(agent)
        answer = agent.answer(self.config.timeout)
        if "over" in answer:
            return None
        number = self._next
        values = {one.name: self._value(one, answer["values"]) for one in self.sweep.parameters}
        self._next += 1
        self._trials[number] = {"run_id": answer["run_id"], "values": values}
        self._write()
        self._busy[number] = agent
        return Trial(number, values)

    def environment(self, trial: Trial) -> Mapping[str, str]:
        """Make the trial mirror itself to the run that the server has made for it, whatever the config says of trackers."""
        run = {"run_id": self._trials[trial.number]["run_id"]}
        ids = {key: self._ids[key] for key in ("sweep_id", "entity", "project")}
        trackers = [os.environ.get(_TRACKERS, ""), _OURS]
        return {TRIAL_VARIABLE: json.dumps({**ids, **run}), _TRACKERS: ",".join(filter(None, trackers))}

    def tell(self, result: TrialResult) -> None:
        """Let the agent ask for another: how the trial went, its run has told the server."""
        agent = self._busy.pop(result.trial.number, None)
        if agent is not None:
            agent.say(ended=result.trial.number)

    def close(self) -> None:
        """Let the agents end; the sweep on the server stays, so that it can go on."""
        for agent in self._agents:
            agent.end()
        self._agents, self._busy = [], {}

    def _created(self) -> dict[str, Any]:
        told = {
            "config": sweep_of(self.sweep, self.experiment_name),
            "entity": self.config.entity,
            "project": project_name(self.config.project or self.project_name),
        }
        maker = AgentProcess("create", told, self.folder, "sweep")
        try:
            return maker.answer(self.config.timeout)
        finally:
            maker.end()

    def _value(self, parameter: Parameter, values: Mapping[str, Any]) -> Any:
        if parameter.name not in values:
            raise SandboxError(f"W&B gave a trial without a value of '{parameter.name}'", where=parameter.where)
        value = values[parameter.name]
        if "values" in parameter.arguments or parameter.is_constant:
            return value
        if parameter.bounds is not None:  # a logarithm and back may end an ulp outside, quantising a whole step
            low, high = parameter.bounds
            value = min(max(value, low), high)
        return parameter.plain(value)

    def _recorded(self, name: str) -> dict[str, Any] | None:
        path = self.folder / RECORD
        if not path.is_file():
            return None
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if found["name"] != name:
            return None
        if found["space"] != self.sweep.digest():
            raise SandboxError(
                f"{path} is of another search: method, metric, goal or parameters were changed since the sweep began",
                where=self.sweep.at("parameters"),
                fix="undo the change, or begin a new sweep: run without --resume",
            )
        return found

    def _write(self) -> None:
        """Write down what has been given, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        record = {"name": self._name, "space": self.sweep.digest(), "ids": self._ids, "trials": self._trials}
        path = self.folder / RECORD
        new = path.with_suffix(".new")
        with new.open("w", encoding="utf-8") as file:
            json.dump(record, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)


def sweep_of(sweep: SweepConfig, name: str) -> dict[str, Any]:
    """`sweep` as W&B's server is given it; the limit, the target and early termination are kept here, by the engine."""
    parameters = {
        one.name: {"value": one.arguments["value"]} if one.is_constant else {"distribution": one.distribution, **one.arguments}
        for one in sweep.parameters
    }
    metric = {"name": sweep.metric.name, "goal": sweep.metric.goal}
    return {"name": name, "method": sweep.method, "metric": metric, "parameters": parameters}
