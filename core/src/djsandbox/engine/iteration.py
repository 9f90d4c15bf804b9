"""From one iteration to the next: whether to go on, and with which values."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from djsandbox.components.deferred import DECIDED_AT_RUN, described, may_be_number
from djsandbox.config.iteration import IterTarget, IterUpdate
from djsandbox.config.model import Job, LocalValue, SandboxConfig
from djsandbox.config.numbers import is_number
from djsandbox.config.references import Reference
from djsandbox.context.infos import ContextInfos
from djsandbox.engine.links import Source, find_source
from djsandbox.errors import Position, Problem, SandboxError, did_you_mean

Updates = Mapping[str, tuple[LocalValue, ...]]
"""Job id -> the values that the iteration before hands to it."""


def check_iteration(config: SandboxConfig, sources: Sequence[Source]) -> Iterator[Problem]:
    """What is wrong with the targets and the updater of a planned config."""
    jobs = list(config.jobs())
    if not config.says("max_iter_num"):
        yield from _without_iterations(config)
    for target in config.iter_targets:
        try:
            value = find_source(target.reference, sources, jobs).value(target.reference.path)
        except LookupError as error:
            yield Problem(str(error.args[0]), target.where, *error.args[1:])
            continue
        if not may_be_number(value):
            what = f"'{target.reference.text}' is {described(value)}, which is not a number"
            yield Problem(what, target.where, parts_of(target.reference.text, value))
    for at, update in enumerate(config.iter_updater):
        try:
            find_source(update.source, sources, jobs).value(update.source.path)
            taker = _taker(update, jobs)
        except LookupError as error:
            yield Problem(str(error.args[0]), update.where, *error.args[1:])
            continue
        earlier = [
            one for one in config.iter_updater[:at] if (one.pipeline, one.meta_name) == (update.pipeline, update.meta_name)
        ]
        if other := next((one for one in earlier if _overlap(update, one.target.text)), None):
            message = f"'{update.target.text}' of {taker.id} is given '{other.source.text}', too"
            yield Problem(message, update.where, "remove one of the two")
        if any(_overlap(update, link.target.text) for link in taker.inputs):
            fix = "remove one of the two"
            yield Problem(f"'{update.target.text}' of {taker.id} is set by its 'input', too", update.where, fix)


def _without_iterations(config: SandboxConfig) -> Iterator[Problem]:
    """Warnings of what is there for iterations, where nothing says that there are any."""
    useless = {
        "iter_targets": "the targets can end nothing" if config.iter_targets else "",
        "iter_updater": "'iter_updater' hands nothing on" if config.iter_updater else "",
    }
    fix = "max_iter_num: how many there are at most, or 0 for as many as it takes"
    for key, what in useless.items():
        if what:
            message = f"{what}, because without 'max_iter_num' there is one iteration"
            yield Problem(message, config.at(key), fix, severity="warning")


def targets_met(config: SandboxConfig, context: ContextInfos) -> bool:
    """Whether the targets are met, all or any of them as the config says; False where there are none."""
    met = [target.is_met(_number(target, context)) for target in config.iter_targets]
    return bool(met) and (all(met) if config.iter_targets_mode == "all" else any(met))


def next_updates(config: SandboxConfig, context: ContextInfos) -> Updates:
    """The values that `context`, of an iteration that has ended, hands to the next."""
    found: dict[str, tuple[LocalValue, ...]] = {}
    for update in config.iter_updater:
        value = _looked_up(update.source, context, f"'{update.source.text}' of iter_updater", update.where)
        taker = _taker(update, list(config.jobs()))
        found[taker.id] = (*found.get(taker.id, ()), LocalValue(update.target, value, update.where))
    return found


def deferred_updates(config: SandboxConfig) -> Updates:
    """What iterations hand to the next, while nobody knows the values yet; without what no job can take."""
    found: dict[str, tuple[LocalValue, ...]] = {}
    for update in config.iter_updater:
        with contextlib.suppress(LookupError):
            taker = _taker(update, list(config.jobs()))
            found[taker.id] = (*found.get(taker.id, ()), LocalValue(update.target, DECIDED_AT_RUN, update.where))
    return found


def updated(job: Job, updates: Updates) -> Job:
    """`job` with the values that the iteration before hands to it."""
    return replace(job, local=(*job.local, *updates[job.id])) if job.id in updates else job


def given_texts(updates: Updates, job: Job) -> frozenset[str]:
    """All texts among the values handed over to `job`: paths in them mean the iteration before."""
    return frozenset(text for value in updates.get(job.id, ()) for text in _texts(value.value))


def _taker(update: IterUpdate, jobs: Sequence[Job]) -> Job:
    inside = [job for job in jobs if job.pipeline == update.pipeline]
    if not inside:
        pipelines = {job.pipeline for job in jobs}
        raise LookupError(f"there is no pipeline '{update.pipeline}'", did_you_mean(update.pipeline, pipelines))
    named = [job for job in inside if job.meta_name == update.meta_name]
    if len(named) == 1:
        return named[0]
    count = "no job" if not named else f"{len(named)} jobs"
    names = {job.meta_name for job in inside if job.meta_name}
    raise LookupError(
        f"{count} of pipeline '{update.pipeline}' has the meta_name '{update.meta_name}'", did_you_mean(update.meta_name, names)
    )


def _overlap(update: IterUpdate, target: str) -> bool:
    mine, other = update.target.text.split("."), target.split(".")
    shorter = min(len(mine), len(other))
    return mine[:shorter] == other[:shorter]


def _number(target: IterTarget, context: ContextInfos) -> float:
    value = _looked_up(target.reference, context, f"the target '{target.text}'", target.where)
    if not is_number(value):
        raise SandboxError(f"the target '{target.text}' compares {value!r}, which is not a number", where=target.where)
    return float(value)


def _looked_up(reference: Reference, context: ContextInfos, what: str, where: Position) -> Any:
    """The value of `reference` after an iteration; the error where there is none says what asked for it, and where."""
    try:
        return context.lookup(str(reference.pipeline), str(reference.meta_name), reference.path)
    except SandboxError as error:
        problem = error.problems[0]
        raise SandboxError(f"{what} cannot be found: {problem.message}", where=where, fix=problem.fix) from error


def parts_of(reference: str, value: Any) -> str | None:
    """A remedy that names what in `value` could be meant."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    parts = [f"{reference}.{key}" for key, item in items if may_be_number(item) or isinstance(item, (Mapping, list, tuple))]
    return f"name a part of it: {', '.join(parts[:5])}" if parts else None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
