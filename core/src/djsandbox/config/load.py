"""From a YAML file to a `SandboxConfig`, with everything that is wrong in it reported at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from djsandbox.config.document import Document
from djsandbox.config.entry import broken_job, read_job
from djsandbox.config.include import find_file, read_mapping
from djsandbox.config.iteration import read_iter_targets, read_iter_updater
from djsandbox.config.model import ANONYMOUS, DEFAULT_STAGES, JOB_LIST_SUFFIX, Job, Pipeline, SandboxConfig
from djsandbox.config.overrides import apply_options, apply_settings, job_settings, parse_setting
from djsandbox.config.schema import GlobalShape, problems_of
from djsandbox.errors import ConfigError, Problem, did_you_mean


def load_config(path: str | Path, settings: Sequence[str] = (), options: Mapping[str, Any] | None = None) -> SandboxConfig:
    """Read the sandbox config at `path`.

    `settings` are overrides as `--set` takes them ("a.b.c=value"), `options` global keys that win over the file's. Raises
    ConfigError with every problem found; whether types, references and inputs exist is checked by `validate`.
    """
    document = apply_options(read_mapping(Path(path)), options or {})
    parsed = [parse_setting(text) for text in settings]
    document, problems = apply_settings(document, parsed)
    stages = _stages(document, problems)
    shape = _globals(document, stages, problems)
    pipelines = _pipelines(document, stages, Path(path).parent, problems)
    pipelines = _with_job_settings(pipelines, parsed, problems)
    if document.data.get("work_dir") is None and any(mark in shape.project_name for mark in "/\\"):
        fix = "name it without slashes, or set work_dir"
        problems.append(Problem("the work_dir is named after 'project_name'", document.at(("project_name",)), fix))
    config = _config(Path(path), document, shape, stages, pipelines, problems)
    config = replace(config, settings=tuple(settings), options=dict(options or {}))
    if problems:
        error = ConfigError.of(problems)
        error.partial = config
        raise error
    return config


def _config(
    path: Path,
    document: Document,
    shape: GlobalShape,
    stages: tuple[str, ...],
    pipelines: Sequence[Pipeline],
    problems: list[Problem],
) -> SandboxConfig:
    folder = path.parent
    targets = [shape.iter_targets] if isinstance(shape.iter_targets, str) else shape.iter_targets or []
    return SandboxConfig(
        file=path,
        project_name=shape.project_name,
        experiment_name=shape.experiment_name,
        work_dir=Path(shape.work_dir or f"./outputs/{shape.project_name}"),
        pipelines=tuple(pipelines),
        stages=stages,
        hpo_config=(find_file(shape.hpo_config, folder) or Path(shape.hpo_config)) if shape.hpo_config else None,
        resume=shape.resume,
        debug=shape.debug,
        max_iter_num=shape.max_iter_num,
        iter_targets=read_iter_targets(targets, document, problems),
        iter_targets_mode=shape.iter_targets_mode,
        iter_updater=read_iter_updater(shape.iter_updater or {}, document, problems),
        launcher=document.part(("launcher",)) if shape.launcher is not None else None,
        tracker=document.part(("tracker",)) if shape.tracker is not None else None,
        hpo_backend=shape.hpo_backend,
        positions=document,
    )


def _stages(document: Document, problems: list[Problem]) -> tuple[str, ...]:
    stages = document.data.get("stages")
    if stages is None:
        return DEFAULT_STAGES
    is_list_of_names = isinstance(stages, list) and all(isinstance(name, str) and name for name in stages)
    if not is_list_of_names or not stages or len(set(stages)) != len(stages):
        problems.append(Problem("'stages' must be a list of different names", document.at(("stages",)), "stages: [execution]"))
        return DEFAULT_STAGES
    return tuple(stages)


def _globals(document: Document, stages: Sequence[str], problems: list[Problem]) -> GlobalShape:
    """The global keys; those that are wrong have their defaults, so that the others are checked all the same."""
    structure = {"pipelines", "stages", *(stage + JOB_LIST_SUFFIX for stage in stages)}
    given = {key: value for key, value in document.data.items() if key not in structure}
    # An empty value means the default, as in `hpo_config:`.
    given = {key: value for key, value in given.items() if value is not None or key not in GlobalShape.model_fields}
    try:
        return GlobalShape.model_validate(given)
    except ValidationError as error:
        problems.extend(problems_of(error, document, GlobalShape, known=structure))
        wrong = {item["loc"][0] for item in error.errors(include_url=False)}
        return GlobalShape.model_validate({key: value for key, value in given.items() if key not in wrong})


def _pipelines(document: Document, stages: Sequence[str], folder: Path, problems: list[Problem]) -> list[Pipeline]:
    job_lists = [stage + JOB_LIST_SUFFIX for stage in stages]
    at_top = [key for key in job_lists if document.data.get(key)]
    if document.data.get("pipelines") is None:
        if not at_top and not problems:
            problems.append(Problem("there is no job in this config", document.at(()), f"add one of: {', '.join(job_lists)}"))
        parts = {key: value for key, value in document.data.items() if key in job_lists}
        jobs = _jobs(document.with_data(parts), ANONYMOUS, stages, folder, problems)
        return [Pipeline(ANONYMOUS, tuple(jobs), document.at(()))]
    if at_top:
        fix = "move the job lists into a pipeline, or remove 'pipelines'"
        where = document.at((at_top[0],))
        problems.append(Problem(f"'pipelines' and the top-level '{at_top[0]}' cannot be used together", where, fix))
    pipelines: dict[str, Pipeline] = {}
    for name, part in _named_parts(document.part(("pipelines",)), problems):
        if name in pipelines:
            first = pipelines[name].where
            problems.append(Problem(f"two pipelines are named '{name}', the first at {first}", part.at(()), "rename one"))
            continue
        pipelines[name] = Pipeline(name, tuple(_jobs(part, name, stages, folder, problems)), part.at(()))
    return list(pipelines.values())


def _named_parts(document: Document, problems: list[Problem]) -> Iterator[tuple[str, Document]]:
    """The pipelines of a mapping, or of a list of one-key mappings."""
    entries: list[tuple[Any, Document]] = []
    if isinstance(document.data, Mapping):
        entries = [(name, document.part((name,))) for name in document.data]
    elif isinstance(document.data, list):
        for at, item in enumerate(document.data):
            if isinstance(item, Mapping) and len(item) == 1:
                entries.extend((name, document.part((at, name))) for name in item)
            else:
                problems.append(
                    Problem("a mapping with one key, the pipeline's name, belongs here", document.at((at,)), "- name: {...}")
                )
    else:
        problems.append(Problem("'pipelines' must be a mapping or a list of one-key mappings", document.at(())))
    for raw_name, part in entries:
        name = str(raw_name)
        if any(mark in name for mark in "./\\") or name in ("", "-1"):
            fix = "use letters, digits, - and _"
            problems.append(Problem(f"'{name}' cannot be the name of a pipeline", part.at(()), fix))
            continue
        yield name, part


def _jobs(document: Document, pipeline: str, stages: Sequence[str], folder: Path, problems: list[Problem]) -> Iterator[Job]:
    data = {} if document.data is None else document.data
    if not isinstance(data, Mapping):
        problems.append(Problem(f"pipeline '{pipeline}' must be a mapping of job lists", document.at(())))
        return
    job_lists = [stage + JOB_LIST_SUFFIX for stage in stages]
    for key in data:
        if key not in job_lists:
            fix = did_you_mean(str(key), job_lists)
            problems.append(Problem(f"unknown key '{key}' in pipeline '{pipeline}'", document.at((key,)), fix))
    for stage in stages:
        key = stage + JOB_LIST_SUFFIX
        entries = data.get(key) or []
        if not isinstance(entries, list):
            fix = "begin each job with '- hook: ...'"
            problems.append(Problem(f"'{key}' must be a list of jobs", document.at((key,)), fix))
            continue
        for index in range(len(entries)):
            try:
                yield read_job(document.part((key, index)), pipeline, stage, index, folder)
            except ConfigError as error:
                problems.extend(error.problems)
                yield broken_job(document.part((key, index)), pipeline, stage, index)


def _with_job_settings(pipelines: list[Pipeline], settings: Sequence[Any], problems: list[Problem]) -> list[Pipeline]:
    jobs = [job for pipeline in pipelines for job in pipeline.jobs]
    by_job, wrong = job_settings(settings, jobs)
    problems.extend(wrong)
    for job in jobs:
        linked = {link.target.text for link in job.inputs}
        for value in by_job.get(job.id, ()):
            if value.target.text in linked:
                fix = "remove that input, or set something else"
                problems.append(Problem(f"'{value.target.text}' of {job.id} is set by its 'input'", value.where, fix))
    return [
        replace(pipeline, jobs=tuple(replace(job, local=(*job.local, *by_job.get(job.id, ()))) for job in pipeline.jobs))
        for pipeline in pipelines
    ]
