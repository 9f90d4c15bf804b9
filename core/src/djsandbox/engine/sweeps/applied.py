"""Which of a trial's values found no place: a recipe that a job wrote had not the op."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from djsandbox.config.document import Document
from djsandbox.config.include import find_file, read_mapping
from djsandbox.config.model import Job
from djsandbox.config.references import Reference
from djsandbox.context.infos import ContextInfos
from djsandbox.engine.placement import Products
from djsandbox.engine.planned import Plan
from djsandbox.engine.resolve import resolve_block
from djsandbox.engine.run import RunResult
from djsandbox.errors import Problem, SandboxError
from djsandbox.journal.journal import Journal


def left_out(plan: Plan, result: RunResult) -> list[list[str]]:
    """Job id and address of each value of the trial `plan` that its last iteration left out; what cannot be told is not one."""
    doubtful = [(job, value) for job in plan.config.jobs() for value in job.local if value.if_there]
    if not doubtful:
        return []
    context, products = ContextInfos.from_dict(result.context), _products(result)

    def finds_place(job: Job, *values: Any) -> bool:
        problems: list[Problem] = []
        block = resolve_block(replace(job, local=(*kept(job), *values)), "dj_configs", lookup, read_file, problems)
        return block.is_deferred or not problems

    def kept(job: Job) -> list[Any]:
        return [value for value in job.local if not value.if_there]

    def lookup(reference: Reference) -> Any:
        if reference.pipeline is None or reference.meta_name is None:
            raise LookupError("which job was the last one then is not known any more")
        try:
            return context.lookup(reference.pipeline, reference.meta_name, reference.path)
        except SandboxError as error:
            raise LookupError(str(error)) from error

    def read_file(path: str) -> Document | None:
        found = find_file(products.actual(path), plan.config.folder)
        return read_mapping(found) if found else None

    return [
        [job.id, value.target.text]
        for job, value in doubtful
        if finds_place(job) and not finds_place(job, replace(value, if_there=False))
    ]


def _products(result: RunResult) -> Products:
    products = Products()
    for event in Journal(result.work_dir).events():
        if event["event"] in ("job_finished", "job_reused") and event["iteration"] == result.iterations:
            for path in event["placed"].values():
                products.add(event["job_id"], path)
    return products
