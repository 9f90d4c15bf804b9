"""`djsandbox context`."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("place", metavar="WORK_DIR_OR_CONFIG", type=click.Path(exists=True))
@click.argument("address", metavar="[PIPELINE.META_NAME.KEY]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def context(place: str, address: str | None, as_json: bool) -> int:
    """Show what the jobs of the last run in a work_dir produced, or one output of them."""
    from djsandbox.cli.show import show_json  # noqa: PLC0415
    from djsandbox.context.infos import ContextInfos  # noqa: PLC0415
    from djsandbox.engine.folders import Folders  # noqa: PLC0415
    from djsandbox.errors import ConfigError  # noqa: PLC0415

    file = Folders(_work_dir(Path(place))).context_file
    if not file.is_file():
        raise ConfigError(f"nothing has been run in {file.parent}: there is no {file.name}")
    data = json.loads(file.read_text(encoding="utf-8"))
    if address is not None:
        from djsandbox.config.references import parse_reference  # noqa: PLC0415

        try:
            reference = parse_reference(address)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        infos = ContextInfos.from_dict(data)
        if reference.pipeline is None or reference.meta_name is None:
            show_json(infos.last(reference.path))
        else:
            show_json(infos.lookup(reference.pipeline, reference.meta_name, reference.path))
        return 0
    if as_json:
        show_json(data)
        return 0
    for pipeline, jobs in data.items():
        click.secho(pipeline, bold=True)
        for job in jobs:
            click.echo(f"  {job['meta_name'] or '(no meta_name)'}")
            for key, value in job.items():
                if key != "meta_name":
                    click.echo(f"    {key}: {_short(value)}")
    return 0


def _work_dir(place: Path) -> Path:
    if place.is_dir():
        return place
    from djsandbox.config.load import load_config  # noqa: PLC0415

    return load_config(place).work_dir


def _short(value: object, limit: int = 100) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters; --json shows all)"
