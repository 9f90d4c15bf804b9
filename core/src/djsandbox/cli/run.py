"""`djsandbox run`."""

from __future__ import annotations

import dataclasses
import traceback
from typing import Any

import click

from djsandbox.cli.options import ConfigCommand, config_options, planned


@click.command(cls=ConfigCommand)
@config_options
@click.option("--quiet", "-q", is_flag=True, help="Print only errors and the tables at the end.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON at the end.")
def run(quiet: bool, as_json: bool, **options: Any) -> int:
    """Run all jobs of CONFIG in order.

    With --resume, what is unchanged since an earlier run in the same work_dir is taken over.
    """
    from djsandbox.cli.progress import Progress  # noqa: PLC0415 - the commands import what they need when they run
    from djsandbox.cli.show import counted, show_invalid, show_json, show_problems, show_table  # noqa: PLC0415
    from djsandbox.engine.run import run_plan  # noqa: PLC0415
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
    progress = Progress.for_terminal(len(plan.jobs), quiet=quiet)
    manager.register(progress, "progress")
    try:
        with progress:
            result = run_plan(plan, manager)
    except JobFailed as error:
        if plan.config.debug:
            traceback.print_exception(error.cause)
        raise
    except KeyboardInterrupt:
        click.echo("what was running is journalled as interrupted; run again with --resume to go on there", err=True)
        raise
    if as_json:
        show_json(
            {
                "run_id": result.run_id, "work_dir": str(result.work_dir), "seconds": round(result.seconds, 3),
                "iterations": result.iterations, "targets_met": result.targets_met,
                "executed": result.executed, "reused": result.reused, "context_infos": result.context,
                "tables": [dataclasses.asdict(table) for table in result.tables],
            }
        )  # fmt: skip
        return 0
    for table in result.tables:
        show_table(table.columns, table.rows, title=table.title, notes=table.notes)
    if not quiet:
        if result.iterations > 1 or result.targets_met is not None:
            met = {True: "targets met", False: "targets not met", None: "no targets"}[result.targets_met]
            click.echo(f"\n{counted(result.iterations, 'iteration')}, {met}", err=True)
        done = f"{counted(len(result.executed), 'job')} run, {len(result.reused)} reused, {result.seconds:.1f} s"
        click.echo(f"\n{result.run_id} done: {done}; context: {result.work_dir / 'context_infos.json'}", err=True)
    return 0
