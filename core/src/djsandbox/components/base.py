"""The base of all components, whatever their role."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from djsandbox.components.config import ComponentConfig
from djsandbox.components.context import JobContext, Watcher
from djsandbox.components.deferred import DECIDED_AT_RUN
from djsandbox.components.environment import Environment, Recipe
from djsandbox.components.paths import Loc, path_uses
from djsandbox.errors import ComponentError


@dataclass(frozen=True, slots=True)
class Finding:
    """What a component's `check` has to say about one place of its config."""

    loc: Loc
    message: str
    fix: str | None = None
    severity: Literal["error", "warning"] = "error"

    def __post_init__(self) -> None:
        if isinstance(self.loc, str):  # a natural slip of who checks a top-level key
            object.__setattr__(self, "loc", (self.loc,))


class Component:
    """Base of every component.

    Subclasses nest a `Config` and implement their role's `run`. The constructor keeps the config and does nothing else: the
    engine makes components to plan with, too. The methods under "planning" must be cheap, must import nothing heavy and must
    write nothing.
    """

    Config: ClassVar[type[ComponentConfig]] = ComponentConfig

    deterministic: ClassVar[bool] = False
    """True: the same key gives the same result, which iterations, trials and runs may share."""

    key_version: ClassVar[int] = 1
    """Raise it when a new release gives other results for the same config."""

    libraries: ClassVar[tuple[str, ...]] = ()
    """Distributions that do the work (`("scikit-learn",)`); their versions enter the content key."""

    workers: ClassVar[tuple[str, ...]] = ()
    """What the component runs as a program: files beside its own (`("worker.py",)`), or modules of its package
    (`("my_package.worker",)`). Their source, and what that imports, counts as the component's own."""

    env: ClassVar[str | Recipe | None] = None
    """The env recipe this component runs in, if it needs one: its name, or an EnvRecipe. Its Config is an `EnvConfig` then."""

    def __init__(self, config: ComponentConfig) -> None:
        self.config: Any = config
        self.context = JobContext()

    def attach(self, context: JobContext) -> Self:
        """Bind the component to the job it works for; the engine does this once, before `run`."""
        self.context = context
        return self

    @property
    def watcher(self) -> Watcher:
        """Receives metrics and tables, and answers queries for those of earlier jobs."""
        return self.context.watcher

    @property
    def logger(self) -> logging.Logger:
        """Writes to the log file of the job."""
        return self.context.logger

    @property
    def work_dir(self) -> Path:
        """The job's own folder."""
        return self.context.work_dir

    @property
    def environment(self) -> Environment:
        """The environment of the recipe that `env` names, ready to be used; there while the job runs."""
        if self.context.environment is None:
            fix = "in tasks(), run() or _run(); on its own: component.attach(JobContext(environment=environment_for(recipe)))"
            raise ComponentError(f"{type(self).__qualname__} has no environment here, only while its job runs", fix=fix)
        return self.context.environment

    # -- planning ------------------------------------------------------------------------------------------------------

    def check(self) -> Iterable[Finding]:
        """Whatever can be found wrong before the first job runs and that the types of `Config` do not say."""
        return ()

    def key_fields(self) -> Mapping[str, Any]:
        """The part of the config that the result depends on, as plain data, paths included."""
        return self.config.model_dump(mode="json", exclude=set(type(self.config).outside_key))  # type: ignore[no-any-return]

    def env_recipe(self) -> str | Recipe | None:
        """The env recipe, where the config decides: by default `env`; None where this config needs none."""
        return self.env

    def recipe_changes(self) -> Mapping[str, Any]:
        """What the config changes in the recipe (`{"homes": {...}}`), as a user's `env_params` do, which win over it."""
        return {}

    def referenced_files(self) -> Iterable[str]:
        """Files that an input only names (the JSONL a meta file points to); their content enters the key."""
        return ()

    def output_paths(self) -> Sequence[str]:
        """Files or folders this job will write."""
        return [use.value for use in path_uses(self.config) if use.kind == "output"]

    def intermediate_metrics(self) -> Iterable[str]:
        """Names of metrics that are recorded again and again while the work goes on, each with its step.

        They are what follows the job's meta_name, and may have wildcards (`*.loss`). A sweep can end a trial early that falls
        behind in one of them.
        """
        return ()

    def planned_outputs(self) -> Any:
        """What `run` will return as far as the config alone tells, else `DECIDED_AT_RUN`.

        That may stand for parts, too: `[{"accuracy": DECIDED_AT_RUN}]` says that there is one result, and what is in it.
        """
        return DECIDED_AT_RUN

    def planned_documents(self) -> Mapping[str, Any]:
        """Config files this job will write: path -> their content as far as it is known (a refiner's source recipe)."""
        return {}
