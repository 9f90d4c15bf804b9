"""`djsandbox envs`: environments are listed, shown and made here; `envs_run` and `envs_upkeep` have the rest."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click

_ELSEWHERE = {
    "run": "envs_run:run_in",
    "remove": "envs_upkeep:remove",
    "doctor": "envs_upkeep:doctor",
    "gc": "envs_upkeep:collect",
}


class _Envs(click.Group):
    """The commands here, and those in other modules, which are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return ["list", "show", "create", *_ELSEWHERE]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _ELSEWHERE:
            module, _, name = _ELSEWHERE[cmd_name].partition(":")
            command: click.Command = getattr(importlib.import_module(f"djsandbox.cli.{module}"), name)
            return command
        return super().get_command(ctx, cmd_name)


@click.group(cls=_Envs)
def envs() -> None:
    """List, make and use the environments that backends need."""


@envs.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_envs(as_json: bool) -> int:
    """List the recipes of the installed plugins, and the environments that have been made."""
    from djsandbox.cli.show import show_json, show_table  # noqa: PLC0415
    from djsandbox.envs.inventory import known_recipes  # noqa: PLC0415
    from djsandbox.envs.store import Store  # noqa: PLC0415

    store = Store()
    recipes = list(known_recipes())
    current = {known.key for known in recipes}
    made = [entry_data(entry) | {"current": entry.key in current} for entry in store.entries()]
    keys = {row["environment"] for row in made}
    offered = [
        {
            "recipe": known.claim.name,
            "package": known.claim.distribution,
            "environment": known.key,
            "made": known.key in keys,
            "problem": known.problems[0].message if known.problems else None,
        }
        for known in recipes
    ]
    if as_json:
        show_json({"store": str(store.folder), "recipes": offered, "environments": made})
        return 0
    for row in offered:
        own = "not needed: the interpreter of djsandbox will do"
        row["made"] = row["problem"] or (row["made"] if row["environment"] else own)
    show_table(
        ("recipe", "package", "made"), [[row["recipe"], row["package"], row["made"]] for row in offered], title="recipes"
    )
    columns = ("environment", "recipe", "manager", "python", "state", "used")
    show_table(columns, [[row[column] for column in columns] for row in made], title=f"environments in {store.folder}")
    return 0


@envs.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show_env(name: str, as_json: bool) -> int:
    """Show an environment, or what a recipe would make and what stands against it."""
    from djsandbox.cli.show import problem_data, show_json, show_problems, show_table  # noqa: PLC0415
    from djsandbox.envs.inventory import entry_named, known_recipe, steps_of  # noqa: PLC0415
    from djsandbox.envs.store import Store  # noqa: PLC0415
    from djsandbox.errors import ConfigError  # noqa: PLC0415

    known = known_recipe(name, examined=True)
    try:
        entry = entry_named(name, Store())
    except ConfigError:
        if known is None:
            raise
        entry = None
    found = entry_data(entry, packages=True) if entry is not None else None
    recipe = known.recipe if known is not None else None
    said = list(steps_of(recipe)) if recipe is not None else []
    wrong = known.problems if known is not None else ()
    if as_json:
        show_json(
            {"recipe": name if known else None, "steps": said, "environment": found, "problems": [*map(problem_data, wrong)]}
        )
        return 0
    if known is not None:
        click.secho(f"recipe {name}, from {known.claim.distribution} {known.claim.version}", bold=True)
        for line in said:
            click.echo(f"  {line}")
    if found is not None:
        packages = found.pop("packages")
        show_table(
            ("environment", found["environment"]), [[key, value] for key, value in found.items() if key != "environment"]
        )
        show_table(("package", "version"), list(packages.items()))
    show_problems(wrong)
    return 0


@envs.command("create")
@click.argument("name")
@click.option("--manager", metavar="MANAGER", help="Who makes it: uv, venv, conda, ... (env_manager).")
@click.option("--env-name", metavar="NAME", help="What it is to be called (env_name).")
@click.option("--param", "params", multiple=True, metavar="KEY=VALUE", help="An item of env_params; may be repeated.")
@click.option("--offline", is_flag=True, help="Do not use the network.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def create(
    name: str, manager: str | None, env_name: str | None, params: tuple[str, ...], offline: bool, dry_run: bool, as_json: bool
) -> int:
    """Make the environment of the recipe NAME; one that is there already is left as it is."""
    from djsandbox.cli.show import show_json, show_problems  # noqa: PLC0415
    from djsandbox.envs.environment import environment_for, find_environment, problems  # noqa: PLC0415
    from djsandbox.envs.inventory import steps_of  # noqa: PLC0415
    from djsandbox.envs.recipes import find_recipe  # noqa: PLC0415
    from djsandbox.envs.resolving import resolve  # noqa: PLC0415
    from djsandbox.errors import ConfigError  # noqa: PLC0415

    recipe = find_recipe(name)
    asked: dict[str, Any] = {"manager": manager, "name": env_name, "params": _params(params)}
    wrong = problems(recipe, **asked, offline=offline, running=False)
    if any(problem.severity == "error" for problem in wrong):
        raise ConfigError.of(wrong)
    show_problems(wrong)
    found = find_environment(recipe, **asked)
    if dry_run:
        one = found or resolve(recipe, **asked)
        said = [] if found else list(steps_of(one.recipe))
        if as_json:
            show_json({"environment": one.key, "manager": one.manager, "exists": bool(found), "made": False, "steps": said})
            return 0
        click.echo(f"{found.key or found.path} is there" if found else f"{one.key} would be made with {one.manager}")
        for line in said:
            click.echo(f"  {line}")
        return 0
    ready = found or environment_for(recipe, **asked, offline=offline, on_line=_to_stderr)
    if as_json:
        there = {"environment": ready.key, "path": ready.path, "python": ready.python, "exists": True}
        show_json(there | {"made": ready.is_new})
        return 0
    click.echo(f"{'made' if ready.is_new else 'is there'}: {ready.path}")
    return 0


def entry_data(entry: Any, *, packages: bool = False) -> dict[str, Any]:
    """An environment of the store as data for `--json` and tables."""
    from datetime import UTC, datetime  # noqa: PLC0415

    facts: Mapping[str, Any] = entry.facts
    used = datetime.fromtimestamp(entry.used, UTC).isoformat(timespec="seconds") if entry.used else None
    row = {
        "environment": entry.key,
        "name": facts.get("name"),
        "recipe": facts.get("recipe"),
        "manager": facts.get("manager"),
        "python": facts.get("python"),
        "state": entry.problem or "ready",
        "path": str(entry.path),
        "created": facts.get("created"),
        "used": used,
    }
    return row | {"packages": facts.get("packages", {})} if packages else row


def _params(texts: tuple[str, ...]) -> dict[str, Any]:
    """`python=3.10`, `homes.internvl=/path`: values as YAML has them, versions as texts."""
    import yaml  # noqa: PLC0415

    found: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        *above, last = key.split(".")
        if not equals or not last:
            raise click.UsageError(f"write --param KEY=VALUE, not '{text}'")
        place = found
        for step in above:
            place = place.setdefault(step, {})
            if not isinstance(place, dict):
                raise click.UsageError(f"--param {key}: '{step}' has a value already, and can have nothing below it")
        is_text = above or last in ("python", "env_py_version", "path", "env_config_path")
        try:
            place[last] = value if is_text else yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise click.UsageError(f"--param {key}: the value is no YAML; put it in quotes") from error
    return found


def _to_stderr(line: str) -> None:
    click.echo(line, err=True)
