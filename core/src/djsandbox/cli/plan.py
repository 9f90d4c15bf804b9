"""`djsandbox plan`."""

from __future__ import annotations

from typing import Any

import click

from djsandbox.cli.options import ConfigCommand, config_options, planned

_MADE_BY = ("component", "version", "environment")


@click.command(cls=ConfigCommand)
@config_options
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
def plan(as_json: bool, **options: Any) -> int:
    """Show each job of CONFIG, what makes it, where its inputs come from, and whether a run would execute or reuse it."""
    from djsandbox.cli.show import show_invalid, show_json, show_problems  # noqa: PLC0415
    from djsandbox.engine import api  # noqa: PLC0415
    from djsandbox.errors import ConfigError  # noqa: PLC0415

    try:
        foretold = api.foretell(planned(**options))
    except ConfigError as error:
        if not as_json:
            raise
        return show_invalid(error)
    rows = [_row(job) for job in foretold.jobs]
    if as_json:
        sweep = _sweep(foretold) if foretold.plan.sweep else None
        show_json({"work_dir": str(foretold.plan.config.work_dir), "sweep": sweep, "jobs": rows})
        return 0
    show_problems(foretold.warnings)
    if foretold.plan.sweep:
        _show_sweep(_sweep(foretold))
    elif foretold.plan.config.is_iterated:
        _show_iteration(foretold.plan.config)
    for row in rows:
        _show(row)
    return 0


def _show_iteration(config: Any) -> None:
    most = "until" if config.max_iter_num == 0 else f"at most {config.max_iter_num} times"
    mode = " and " if config.iter_targets_mode == "all" else " or "
    targets = mode.join(target.text for target in config.iter_targets)
    until = f"{'' if config.max_iter_num == 0 else ', until'} {targets}" if targets else ""
    click.echo(f"{click.style('iterates', bold=True)}  {most}{until}; this is the first iteration")


def _sweep(foretold: Any) -> dict[str, Any]:
    planned = foretold.plan.sweep
    sweep = planned.config
    return {
        "file": str(sweep.file),
        "method": sweep.method,
        "metric": sweep.metric.name,
        "goal": sweep.metric.goal,
        "trials": sweep.most_trials,
        "ended": foretold.ended,
        "parallel": sweep.parallel,
        "parameters": {
            parameter.name: {
                "distribution": parameter.distribution,
                **parameter.arguments,
                "sets": [f"{place.job_id} {place.target.text}" for place in planned.targets.places[parameter.name]],
            }
            for parameter in sweep.parameters
        },
    }


def _show_sweep(sweep: dict[str, Any]) -> None:
    trials = "trials until it is interrupted" if sweep["trials"] is None else f"{sweep['trials']} trials"
    trials += f" ({sweep['ended']} have ended)" if sweep["ended"] else ""
    parallel = f", {sweep['parallel']} at once" if sweep["parallel"] > 1 else ""
    click.echo(f"{click.style('sweep', bold=True)}  {sweep['method']}, {trials}{parallel}: {sweep['goal']} {sweep['metric']}")
    for name, parameter in sweep["parameters"].items():
        places = parameter.pop("sets")
        distribution = parameter.pop("distribution")
        arguments = ", ".join(f"{key}: {value}" for key, value in parameter.items())
        click.echo(f"       {name}: {distribution} ({arguments}), sets {'; '.join(places)}")


def _show(row: dict[str, Any]) -> None:
    """One job on a few short lines, readable in a narrow terminal."""
    name = f"{row['job']}  {row['meta_name']}" if row["meta_name"] else f"{row['job']}  ({row['hook']})"
    color = "yellow" if row["action"] == "run" else "green"
    click.echo(f"{click.style(row['action'].ljust(5), fg=color, bold=True)}  {click.style(name, bold=True)}")
    made_by = [f"{what}, {version}, in {place}" for what, version, place in zip(*(row[key] for key in _MADE_BY), strict=False)]
    for label, texts in (("", made_by), ("reads from ", row["reads from"]), ("writes ", row["writes"]), ("", [row["why"]])):
        if texts:
            click.echo(f"       {label}{', '.join(texts)}")


def _row(job: Any) -> dict[str, Any]:
    planned = job.planned
    origins = planned.origins
    return {
        "job": planned.job.id,
        "meta_name": planned.job.meta_name,
        "hook": planned.job.hook,
        "stage": planned.job.stage,
        "component": [f"{origin.group}: {origin.type_name}" for origin in origins] or ["decided at run"],
        "version": [_version(origin) for origin in origins],
        "environment": [_environment(part) for part in planned.parts if part.origin is not None],
        "reads from": sorted(planned.reads),
        "outputs": None if planned.outputs is None else {name: repr(value) for name, value in planned.outputs.items()},
        "writes": list(planned.writes),
        "action": job.action,
        "why": job.reason,
    }


def _environment(part: Any) -> str:
    return part.environment.shown() if part.environment is not None else "this interpreter"


def _version(origin: Any) -> str:
    return f"{origin.distribution} {origin.version}" if origin.distribution else str(origin.source)
