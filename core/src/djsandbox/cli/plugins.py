"""`djsandbox plugins`."""

from __future__ import annotations

from typing import Any

import click


@click.group()
def plugins() -> None:
    """List the plugins that are installed, show one, or examine all."""


@plugins.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_plugins(as_json: bool) -> int:
    """List the distributions that bring something, from their metadata alone: nothing is imported."""
    from djsandbox.cli.show import show_json, show_table  # noqa: PLC0415
    from djsandbox.plugins.index import plugin_index  # noqa: PLC0415

    rows: list[dict[str, Any]] = [
        {"package": name, "version": version, "brings": [f"{claim.group}: {claim.name}" for claim in claims]}
        for name, (version, claims) in sorted(plugin_index().distributions().items())
    ]
    if as_json:
        show_json(rows)
        return 0
    show_table(("package", "version", "brings"), [[row["package"], row["version"], _count(row["brings"])] for row in rows])
    return 0


@plugins.command("show")
@click.argument("package")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show_plugin(package: str, as_json: bool) -> int:
    """Show what one distribution brings."""
    from djsandbox.cli.show import show_json, show_table  # noqa: PLC0415
    from djsandbox.errors import ConfigError, did_you_mean  # noqa: PLC0415
    from djsandbox.plugins.index import normalised, plugin_index  # noqa: PLC0415

    installed = {normalised(name): (name, *found) for name, found in plugin_index().distributions().items()}
    if normalised(package) not in installed:
        raise ConfigError(f"the plugin '{package}' is not installed", fix=did_you_mean(_full_name(package), installed))
    name, version, claims = installed[normalised(package)]
    rows = [{"group": claim.group, "type": claim.name, "class": claim.value} for claim in claims]
    if as_json:
        show_json({"package": name, "version": version, "brings": rows})
        return 0
    show_table(("group", "type", "class"), [list(row.values()) for row in rows], title=f"{name} {version}")
    return 0


@plugins.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def doctor(as_json: bool, debug: bool) -> int:
    """Load everything that every plugin claims and say what is wrong; exit code 1 when something is."""
    from djsandbox.cli.show import show_json  # noqa: PLC0415
    from djsandbox.components.launcher import Launcher  # noqa: PLC0415
    from djsandbox.components.roles import BaseRecipeRefiner  # noqa: PLC0415
    from djsandbox.components.sweeper import Sweeper  # noqa: PLC0415
    from djsandbox.engine.diagnosis.installed import known_errors_of  # noqa: PLC0415
    from djsandbox.envs.recipes import recipe_of  # noqa: PLC0415
    from djsandbox.envs.router import manager_of  # noqa: PLC0415
    from djsandbox.jobs.base import JobHook  # noqa: PLC0415
    from djsandbox.plugins.doctor import examine  # noqa: PLC0415
    from djsandbox.plugins.functions import message_function_of  # noqa: PLC0415
    from djsandbox.plugins.index import plugin_index  # noqa: PLC0415
    from djsandbox.watch.tracker import Tracker  # noqa: PLC0415

    found = examine(
        plugin_index(),
        {
            "job_hooks": JobHook,
            "launchers": Launcher,
            "recipe_refiners": BaseRecipeRefiner,
            "sweepers": Sweeper,
            "trackers": Tracker,
        },
        {
            "env_managers": manager_of,
            "env_recipes": recipe_of,
            "known_errors": known_errors_of,
            "message_functions": message_function_of,
        },
    )
    broken = [item for item in found if item.problem is not None]
    if as_json:
        show_json([_finding(item) for item in found])
        return 1 if broken else 0
    for item in found:
        if item.problem is None and not item.notes:
            continue
        click.echo(f"{item.claim}")
        for note in item.notes:
            click.echo(f"    note: {note}")
        if item.problem is not None:
            click.secho(f"    {item.problem}", fg="red")
            if item.traceback:
                click.echo(item.traceback if debug else "    (--debug shows the traceback)")
    click.echo(f"{len(found)} claims examined, {len(broken)} broken")
    return 1 if broken else 0


def _finding(item: Any) -> dict[str, Any]:
    claim = item.claim
    return {
        "package": claim.distribution, "group": claim.group, "type": claim.name, "class": claim.value,
        "problem": str(item.problem) if item.problem else None, "traceback": item.traceback, "notes": list(item.notes),
    }  # fmt: skip


def _full_name(package: str) -> str:
    return package if package.startswith("djsandbo") else f"djsandbox-{package}"


def _count(brings: list[str]) -> str:
    names = [text.split(": ", 1)[1] for text in brings]
    short = ", ".join(dict.fromkeys(names[:6]))
    return short + (f", ... ({len(names)})" if len(names) > 6 else "")
