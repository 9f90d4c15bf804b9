"""`djsandbox components`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

_LISTED = ("recipe_refiners", "job_hooks", "launchers", "sweepers", "trackers")
"""The groups that are no factories, and hold what a config names."""


@click.group()
def components() -> None:
    """List the components that are installed, or show one."""


@components.command("list")
@click.argument("group", required=False)
@click.option("--group", "named", metavar="GROUP", help="The same.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_components(group: str | None, named: str | None, as_json: bool) -> int:
    """List every type by factory, with the package that brings it; only those of GROUP (model_train_executors) if given."""
    from djsandbox.cli.show import show_json, show_table  # noqa: PLC0415
    from djsandbox.errors import ConfigError, did_you_mean  # noqa: PLC0415
    from djsandbox.plugins.index import plugin_index  # noqa: PLC0415

    group = group or named
    index = plugin_index()
    groups = _component_groups()
    if group is not None and group not in groups:
        raise ConfigError(f"no installed plugin has anything in '{group}'", fix=did_you_mean(group, groups))
    rows = [
        {"group": claim.group, "type": claim.name, "package": claim.distribution, "version": claim.version, **_described(claim)}
        for name in groups
        if group in (None, name)
        for claim in index.claims(name)
    ]
    if as_json:
        show_json(rows)
        return 0
    columns = ("group", "type", "package", "description")
    show_table(columns, [[row[column] for column in columns] for row in rows])
    return 0


@components.command("show")
@click.argument("type_name", metavar="TYPE")
@click.option("--group", help="The factory, where several have the type.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show_component(type_name: str, group: str | None, as_json: bool) -> int:
    """Show what a component does and every key of its config.

    TYPE is what a config's `type:` may be: a name, "./file.py:Class", or the name of a job hook.
    """
    from djsandbox.cli.show import show_json, show_table  # noqa: PLC0415

    found = [_details(resolved) for resolved in _find(type_name, group)]
    if as_json:
        show_json(found)
        return 0
    for item in found:
        click.secho(f"{item['group']}: {item['type']}", bold=True)
        click.echo(f"{item['class']}, from {item['package'] or item['source']}")
        click.echo(f"\n{item['description']}\n")
        if item["keys"]:
            columns = ("key", "type", "default", "description")
            show_table(columns, [[key[column] for column in columns] for key in item["keys"]])
        click.echo("")
    return 0


def _component_groups() -> list[str]:
    """The groups that hold what a config's `type:` or `hook:` may name; those of third parties, too."""
    from djsandbox.plugins.groups import OPEN_GROUPS  # noqa: PLC0415
    from djsandbox.plugins.index import plugin_index  # noqa: PLC0415

    return [name for name in plugin_index().groups() if name not in set(OPEN_GROUPS) - set(_LISTED)]


def _find(type_name: str, group: str | None) -> Iterator[Any]:
    from djsandbox.errors import ConfigError, did_you_mean  # noqa: PLC0415
    from djsandbox.plugins.groups import FACTORIES  # noqa: PLC0415
    from djsandbox.plugins.index import plugin_index  # noqa: PLC0415
    from djsandbox.plugins.resolve import resolve  # noqa: PLC0415

    index = plugin_index()
    if ":" in type_name and not any(index.claimants(name, type_name.rpartition(":")[2]) for name in _component_groups()):
        yield resolve(group or "components", type_name, base=object, folder=Path.cwd())
        return
    bare = type_name.rpartition(":")[2]
    groups = [name for name in _component_groups() if group in (None, name) and index.claimants(name, bare)]
    if not groups:
        names = {claim.name for name in [*FACTORIES, *_LISTED] for claim in index.claims(name)}
        raise ConfigError(f"no installed plugin has the type '{type_name}'", fix=did_you_mean(type_name, names))
    for name in groups:
        yield resolve(name, type_name, base=object, folder=Path.cwd())


def _described(claim: Any) -> dict[str, str]:
    from djsandbox.errors import PluginError  # noqa: PLC0415
    from djsandbox.plugins.driver import load  # noqa: PLC0415

    try:
        return {"description": (inspect.getdoc(load(claim)) or "").split("\n", 1)[0]}
    except PluginError as error:
        return {"description": f"BROKEN: {error.problems[0].message} (djsandbox plugins doctor)"}


def _details(resolved: Any) -> dict[str, Any]:
    found = resolved.component_class
    config = getattr(found, "Config", None)
    return {
        "group": resolved.group,
        "type": resolved.type_name,
        "class": f"{found.__module__}.{found.__qualname__}",
        "package": f"{resolved.distribution} {resolved.version}" if resolved.distribution else None,
        "source": str(resolved.source) if resolved.source else None,
        "description": inspect.getdoc(found) or "",
        "deterministic": found.deterministic if isinstance(getattr(found, "deterministic", None), bool) else None,
        "keys": [_key(name, info) for name, info in config.model_fields.items()] if config is not None else [],
    }


def _key(name: str, info: Any) -> dict[str, Any]:
    from djsandbox.cli.annotations import annotation_text  # noqa: PLC0415

    return {
        "key": name,
        "type": annotation_text(info.annotation, info.metadata),
        "default": "(required)" if info.is_required() else repr(info.get_default(call_default_factory=True)),
        "description": info.description or "",
    }
