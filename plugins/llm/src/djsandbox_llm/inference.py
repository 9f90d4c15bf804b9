"""What the three executors share: their data pools, the log of answers, and the results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from djsandbox import DECIDED_AT_RUN, ComponentError, JobContext, is_decided_at_run

from djsandbox_llm.config import InferConfig
from djsandbox_llm.results import Parsing, PoolWork, result_paths
from djsandbox_llm.rows import Asking
from djsandbox_llm.workers.answer_log import AnswerLog


def planned_results(config: InferConfig) -> Any:
    """The files of results before there are any, one for each data pool, as far as these are known."""
    if is_decided_at_run(config.dataset_path):
        return DECIDED_AT_RUN
    return result_paths(config.dataset_path, config.export_path)


def pools_of(config: InferConfig) -> list[PoolWork]:
    """The data pools, with all their rows looked at; ComponentError where one cannot be asked about."""
    asking = Asking(config.build_messages_func, config.func_kwargs)
    results = result_paths(config.dataset_path, config.export_path)
    pools = [
        PoolWork(number, path, result, asking)
        for number, (path, result) in enumerate(zip(config.dataset_path, results, strict=True))
    ]
    for pool in pools:
        if not pool.read_through() and not len(pool.conversations):
            raise ComponentError(f"the data pool {pool.path} has no rows", fix="see why the job that wrote it kept nothing")
    return pools


def parsing_of(config: InferConfig) -> Parsing:
    """How values are made of answers."""
    return Parsing(config.parse_output_func, config.func_kwargs)


def log_path(context: JobContext) -> Path:
    """Where the answers are kept until the job is done: with what only a run that resumes finds again."""
    job = context.job_id.replace("/", "__") or "job"
    return context.cache_dir / "llm" / f"{job}.{context.iteration}.answers.jsonl"


def open_log(context: JobContext) -> AnswerLog:
    """The log of this job's answers. On its own, outside of a run, a component begins anew."""
    return AnswerLog(log_path(context), fresh=not context.job_id)


def write_results(config: InferConfig, pools: list[PoolWork], log: AnswerLog) -> list[str]:
    """Write the results of all data pools; returns their paths, in the order of the pools."""
    parsing = parsing_of(config)
    for pool in pools:
        pool.write(log, parsing, config.infer_res_key)
    return [pool.result_path for pool in pools]
