"""`djsandbox run`."""

from __future__ import annotations

import traceback
from typing import Any

import click

from djsandbox.cli.options import ConfigCommand, config_options, planned


@click.command(cls=ConfigCommand)
@config_options
@click.option("--quiet", "-q", is_flag=True, help="Print only errors and the tables at the end.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON at the end.")
def run(quiet: bool, as_json: bool, **options: Any) -> int:
    """Run all jobs of CONFIG in order, or the trials of its sweep (`hpo_config`).

    With --resume, what is unchanged since an earlier run in the same work_dir is taken over.
    """
    from djsandbox.cli.progress import Progress  # noqa: PLC0415 - the commands import what they need when they run
    from djsandbox.cli.results import run_data, run_ending, sweep_data, sweep_ending  # noqa: PLC0415
    from djsandbox.cli.show import show_invalid, show_json, show_problems, show_table  # noqa: PLC0415
    from djsandbox.cli.sweep_progress import SweepProgress  # noqa: PLC0415
    from djsandbox.engine.run import run_plan  # noqa: PLC0415
    from djsandbox.engine.sweeps.result import SweepResult  # noqa: PLC0415
    from djsandbox.engine.sweeps.run import run_sweep  # noqa: PLC0415
    from djsandbox.errors import ConfigError, JobFailed  # noqa: PLC0415
    from djsandbox.plugins.manager import SandboxPluginManager  # noqa: PLC0415

    try:
        plan = planned(**options)
    except ConfigError as error:
        if not as_json:
            raise
        return show_invalid(error)
    manager = SandboxPluginManager()
    manager.notify("djsandbox_config_loaded", config=plan.config)
    if not quiet:
        show_problems(plan.warnings)
    total = len(plan.jobs) if plan.sweep is None else plan.sweep.config.most_trials
    progress = (Progress if plan.sweep is None else SweepProgress).for_terminal(total, quiet=quiet)
    manager.register(progress, "progress")
    try:
        with progress:
            result = run_plan(plan, manager) if plan.sweep is None else run_sweep(plan, manager)
    except JobFailed as error:
        if plan.config.debug:
            traceback.print_exception(error.cause)
        raise
    except KeyboardInterrupt:
        click.echo("to go on where it was, run it again with --resume", err=True)
        raise
    if as_json:
        show_json(sweep_data(result) if isinstance(result, SweepResult) else run_data(result))
        return 0
    for table in result.tables:
        show_table(table.columns, table.rows, title=table.title, notes=table.notes)
    if not quiet:
        for line in sweep_ending(result) if isinstance(result, SweepResult) else run_ending(result):
            click.echo(line, err=True)
    return 0
