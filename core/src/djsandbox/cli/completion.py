"""`djsandbox completion`."""

from __future__ import annotations

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> int:
    """Print the completion script for SHELL, to be put into its start-up file.

    For bash: djsandbox completion bash >> ~/.bashrc
    """
    from click.shell_completion import get_completion_class  # noqa: PLC0415

    found = get_completion_class(shell)
    assert found is not None  # noqa: S101 - click knows the three
    click.echo(found(ctx.find_root().command, {}, "djsandbox", "_DJSANDBOX_COMPLETE").source())
    return 0
