"""The options that `run`, `validate` and `plan` share: the config file, overrides, and the global keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_TRUE_OR_FALSE = {"true", "false", "yes", "no", "1", "0", "on", "off"}
_SWITCHES = ("--resume", "--debug")
_Function = TypeVar("_Function", bound=Callable[..., Any])


class ConfigCommand(click.Command):
    """A command whose `--resume` and `--debug` stand alone or take a value (`--resume true`), as the global keys do."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Join a switch with the value that may follow it."""
        joined: list[str] = []
        rest = list(args)
        while rest:
            word = rest.pop(0)
            if word in _SWITCHES:
                value = rest.pop(0) if rest and rest[0].lower() in _TRUE_OR_FALSE else "true"
                word = f"{word}={value}"
            joined.append(word)
        return super().parse_args(ctx, joined)


def config_options(function: _Function) -> _Function:
    """Add the config file (as argument or `--config`), `--set` and the global keys to a command."""
    decorators = [
        click.argument("path", metavar="CONFIG", required=False, type=click.Path(dir_okay=False)),
        click.option(
            "--config", "config_path", metavar="FILE", type=click.Path(dir_okay=False), help="The config, as an option."
        ),
        click.option("--set", "settings", multiple=True, metavar="A.B.C=VALUE", help="Override a value; may be repeated."),
        click.option("--work_dir", "--work-dir", metavar="DIR", help="Where the run is recorded."),
        click.option("--project_name", "--project-name", metavar="NAME"),
        click.option("--experiment_name", "--experiment-name", metavar="NAME"),
        click.option("--resume", type=bool, metavar="", help="Take over what is unchanged from earlier runs."),
        click.option("--debug", type=bool, metavar="", help="Log more, and show tracebacks."),
        click.option("--hpo_config", "--hpo-config", metavar="FILE"),
        click.option("--max_iter_num", "--max-iter-num", type=int, metavar="N"),
        click.option("--iter_targets", "--iter-targets", multiple=True, metavar="TARGET"),
        click.option("--iter_targets_mode", "--iter-targets-mode", type=click.Choice(["all", "any"])),
    ]
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


def planned(path: str | None, config_path: str | None, settings: tuple[str, ...], **options: Any) -> Any:
    """The plan of the config that the options of `config_options` name; ConfigError with all that is wrong."""
    from djsandbox.engine import api  # noqa: PLC0415 - imports yaml and pydantic

    if (path is None) == (config_path is None):
        raise click.UsageError("name one config: djsandbox COMMAND CONFIG (or --config FILE)")
    options["iter_targets"] = list(options.get("iter_targets") or ()) or None
    return api.planned(path or config_path or "", settings=settings, **options)
