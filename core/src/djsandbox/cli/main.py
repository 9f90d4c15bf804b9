"""`djsandbox`: finds the command, runs it, and turns errors into messages and exit codes.

Exit codes: 0 done, 1 a job failed, 2 the config or the command line is wrong, 130 interrupted.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from djsandbox.errors import SandboxError

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130

# Command -> where it is and what `--help` says of it, so that help imports no command.
_COMMANDS = {
    "run": ("djsandbox.cli.run:run", "Run a sandbox config."),
    "validate": ("djsandbox.cli.validate:validate", "Check a sandbox config without running anything."),
    "plan": ("djsandbox.cli.plan:plan", "Show what a run would do with each job, and why."),
    "context": ("djsandbox.cli.context:context", "Show what the jobs of a work_dir produced."),
    "components": ("djsandbox.cli.components:components", "List the components that are installed, or show one."),
    "plugins": ("djsandbox.cli.plugins:plugins", "List the plugins that are installed, show one, or examine all."),
    "envs": ("djsandbox.cli.envs:envs", "List, make and use the environments that backends need."),
    "completion": ("djsandbox.cli.completion:completion", "Print the completion script for a shell."),
}


class _LazyGroup(click.Group):
    """A group that imports a command when it is used, not when it is listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_COMMANDS, *self._third_party()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _COMMANDS:
            module, _, name = _COMMANDS[cmd_name][0].partition(":")
            command: click.Command = getattr(importlib.import_module(module), name)
            return command
        if cmd_name in self._third_party():
            return _load_third_party(cmd_name)
        return None

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            from djsandbox.errors import did_you_mean  # noqa: PLC0415 - only a mistake needs it

            ctx.fail(f"there is no command '{name}'; {did_you_mean(name, self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # The reader went away (`djsandbox ... | head`), which is its right; the interpreter must not complain at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return OK

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, text) for name, (_, text) in _COMMANDS.items()]
        rows += [(name, f"(from {distribution})") for name, distribution in self._third_party().items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    @staticmethod
    def _third_party() -> dict[str, str]:
        from djsandbox.plugins.index import plugin_index  # noqa: PLC0415 - the scan costs milliseconds

        return {claim.name: claim.distribution for claim in plugin_index().claims("commands") if claim.name not in _COMMANDS}


def _load_third_party(name: str) -> click.Command:
    from djsandbox.plugins.driver import load  # noqa: PLC0415 - imports stevedore
    from djsandbox.plugins.index import plugin_index  # noqa: PLC0415

    command = load(plugin_index().find("commands", name))
    if not isinstance(command, click.Command):
        raise SandboxError(f"the command '{name}' is not a click command but {type(command).__name__}")
    return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="djsandbox", prog_name="djsandbox")
def cli() -> None:
    """A feedback-driven laboratory for data and models together.

    Write one YAML file: probe the data or model, refine the data recipe from what was seen, process data and train,
    evaluate, compare.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script: runs a command and ends the process with its exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # As stderr does: a file name that the terminal's encoding lacks is no reason to fail. In JSON this is its escape.
        sys.stdout.reconfigure(errors="backslashreplace")
    code = call(arguments)
    if code == INTERRUPTED:
        # What Python does at its end may hang for ever, as a pool does whose workers the same signal has killed.
        with contextlib.suppress(OSError):  # the reader may be gone
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def call(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit code."""
    try:
        result: Any = cli.main(
            args=list(arguments) if arguments is not None else None, prog_name="djsandbox", standalone_mode=False
        )
    except SandboxError as error:
        from djsandbox.cli.show import show_error  # noqa: PLC0415 - only errors need it

        if error.evidence:  # nobody has looked into it yet
            from djsandbox.engine.diagnosis.explaining import explain  # noqa: PLC0415

            explain(error)
        show_error(error)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    return result if isinstance(result, int) else OK
