"""`djsandbox envs remove`, `doctor` and `gc`."""

from __future__ import annotations

import time
from typing import Any

import click

_DAY = 86_400.0


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def remove(names: tuple[str, ...], dry_run: bool, as_json: bool) -> int:
    """Remove environments; one in which something is running is kept."""
    from djsandbox.envs.inventory import entry_named  # noqa: PLC0415
    from djsandbox.envs.store import Store  # noqa: PLC0415

    store = Store()
    entries = [entry_named(name, store) for name in names]
    if not dry_run:
        for entry in entries:
            store.remove(entry)
    return _told([entry.key for entry in entries], [], dry_run, as_json)


@click.command("gc")
@click.option(
    "--older-than", type=click.FloatRange(min=0), default=30, show_default=True, metavar="DAYS", help="Unused for so long."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def collect(older_than: float, dry_run: bool, as_json: bool) -> int:
    """Remove environments that nobody has used for a while or that are broken, and what broken-off builds have left."""
    from djsandbox.envs.store import Store  # noqa: PLC0415
    from djsandbox.errors import SandboxError  # noqa: PLC0415

    store = Store()
    limit = time.time() - older_than * _DAY
    gone = [entry for entry in store.entries() if (entry.problem or entry.used <= limit) and not entry.is_busy]
    left = list(store.leftovers()) if dry_run else []
    kept = []
    if not dry_run:
        for entry in gone:
            try:
                store.remove(entry)
            except SandboxError as error:  # somebody has begun to use it since
                click.echo(f"kept: {error.problems[0].message}", err=True)
                kept.append(entry.key)
        for key in sorted({folder.name.rpartition(".")[0] for folder in store.leftovers()}):
            with store.lock(key):
                left += store.discard_leftovers(key)
    names = [*(entry.key for entry in gone if entry.key not in kept), *(folder.name for folder in left)]
    return _told(names, kept, dry_run, as_json)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(as_json: bool) -> int:
    """Examine managers, recipes and environments; exit code 1 when one of them is broken.

    What a recipe needs and this machine lacks is a warning: it may be made elsewhere.
    """
    from djsandbox.cli.show import problem_data, show_json, show_problems, show_table  # noqa: PLC0415
    from djsandbox.envs.inventory import examination  # noqa: PLC0415
    from djsandbox.envs.store import Store  # noqa: PLC0415

    store = Store()
    found = examination(store)
    left = [folder.name for folder in store.leftovers()]
    code = 1 if any(problem.severity == "error" for problem in found.problems) else 0
    if as_json:
        recipes = [
            {"recipe": known.claim.name, "broken": known.is_broken, "problems": [*map(problem_data, known.problems)]}
            for known in found.recipes
        ]
        made = [{"environment": key, "problem": problem} for key, problem in found.environments]
        said = {"store": str(store.folder), "broken": bool(code), "problems": [*map(problem_data, found.problems)]}
        show_json(said | {"managers": found.managers, "recipes": recipes, "environments": made, "unfinished": left})
        return code
    rows = [[row["manager"], row["problem"] or row["available"]] for row in found.managers]
    show_table(("manager", "here"), rows, title="managers")
    show_table(("recipe", "state"), [[known.claim.name, _state(known)] for known in found.recipes], title="recipes")
    rows = [[key, problem or "ready"] for key, problem in found.environments]
    show_table(("environment", "state"), rows, title="environments")
    for name in left:
        click.echo(f"unfinished: {name} (djsandbox envs gc removes it)")
    show_problems(found.problems)
    return code


def _state(known: Any) -> str:
    if known.is_broken:
        return "broken"
    return f"{len(known.problems)} to mend" if known.problems else "can be made"


def _told(names: list[str], kept: list[str], dry_run: bool, as_json: bool) -> int:
    from djsandbox.cli.show import show_json  # noqa: PLC0415

    if as_json:
        said = {"removed": [] if dry_run else names, "would_remove": names if dry_run else []}
        show_json(said | {"kept": kept} if kept else said)
        return 0
    for name in names:
        click.echo(f"{'would remove' if dry_run else 'removed'} {name}")
    if not names:
        click.echo("nothing to remove")
    return 0
