"""`djsandbox validate`."""

from __future__ import annotations

from typing import Any

import click

from djsandbox.cli.options import ConfigCommand, config_options, planned


@click.command(cls=ConfigCommand)
@config_options
@click.option("--json", "as_json", is_flag=True, help="Print the problems as JSON.")
def validate(as_json: bool, **options: Any) -> int:
    """Check everything in CONFIG that can be checked before a run."""
    from djsandbox.cli.show import counted, problem_data, show_invalid, show_json, show_problems  # noqa: PLC0415
    from djsandbox.engine.sweeps.forecast import ended_trials  # noqa: PLC0415
    from djsandbox.errors import ConfigError  # noqa: PLC0415

    try:
        plan = planned(**options)
        if plan.sweep is not None:
            ended_trials(plan)
    except ConfigError as error:
        if not as_json:
            raise
        return show_invalid(error)
    if as_json:
        show_json({"valid": True, "problems": [problem_data(problem) for problem in plan.warnings]})
        return 0
    show_problems(plan.warnings)
    jobs, pipelines = counted(len(plan.jobs), "job"), counted(len(plan.config.pipelines), "pipeline")
    click.echo(f"{plan.config.file} is valid: {jobs} in {pipelines}")
    return 0
