"""`djsandbox envs run`."""

from __future__ import annotations

import click


@click.command("run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("name")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run_in(name: str, command: tuple[str, ...]) -> int:
    """Run a command in an environment: djsandbox envs run NAME -- python -V.

    It takes our place: our input, output, terminal and signals are its own, and its exit code is ours.
    """
    from djsandbox.cli.show import show_problems  # noqa: PLC0415 - help needs none of this
    from djsandbox.envs.becoming import become, recipe_of, variables_of  # noqa: PLC0415
    from djsandbox.envs.inventory import entry_named, env_of  # noqa: PLC0415
    from djsandbox.envs.store import Store  # noqa: PLC0415
    from djsandbox.errors import Problem  # noqa: PLC0415

    argv = command[1:] if command[0] == "--" else command
    if not argv or not argv[0]:
        raise click.UsageError("name a command: djsandbox envs run NAME -- python -V")
    entry = entry_named(name, Store())
    env, recipe = env_of(entry), recipe_of(entry)
    variables, unknown = variables_of(entry, recipe)
    for variable in unknown:
        message = f"{variable} is not set: its value is a secret, and secrets are not kept with an environment"
        show_problems([Problem(message, fix=f"{variable}=... djsandbox envs run {name} -- ...", severity="warning")])
    become(env, argv, variables, recipe)
