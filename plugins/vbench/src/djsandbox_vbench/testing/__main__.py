"""Makes the stand-in in a folder, with an environment and videos, and prints the options that let a config use them."""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from djsandbox_vbench.installed import PROMPT_LIST
from djsandbox_vbench.prompts import SMALL_LIST, read_prompts
from djsandbox_vbench.testing.failing import FAILURES, VARIABLE

_DESCRIPTION = """\
Make a stand-in for VBench in FOLDER, with videos of a small prompt list, and print the options of djsandbox run that let a
config use them:

  djsandbox run sandbox.yaml $(python -m djsandbox_vbench.testing FOLDER)
"""
_PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
_EVALUATE = """from pathlib import Path

from djsandbox_vbench.testing.evaluate import main

if __name__ == "__main__":
    main(Path(__file__).parent.parent / "{prompts}")
"""


@dataclass(frozen=True, slots=True)
class StandIn:
    """What has been made: an environment, videos of our small prompt list, and a folder for results."""

    env: Path
    videos: Path
    results: Path


def make(folder: Path) -> StandIn:
    """Make `env/` and `videos/` in `folder`."""
    root = folder.absolute()
    made = StandIn(root / "env", root / "videos", root / "results")
    make_environment(made.env)
    make_videos(made.videos, SMALL_LIST)
    return made


def options(made: StandIn, job: str, *, with_videos: bool = True) -> Iterator[str]:
    """What `--set` takes for the job of that meta_name; without videos only what names the environment."""
    yield f"{job}.extra_configs.env_manager=existing"
    yield f"{job}.extra_configs.env_params.path={made.env}"
    if with_videos:
        yield f"{job}.extra_configs.videos_path={made.videos}"
        yield f"{job}.extra_configs.output_path={made.results}"
        yield f"{job}.extra_configs.full_json_dir=null"
        yield f"{job}.extra_configs.prompt_list=small"


def make_environment(folder: Path) -> None:
    """An environment with `bin/python`, `bin/torchrun`, and packages `vbench`, with our small prompt list, and `detectron2`."""
    programs, packages = folder / "bin", folder / "lib" / _PYTHON / "site-packages"
    programs.mkdir(parents=True, exist_ok=True)
    python, path = shlex.quote(sys.executable), shlex.quote(str(packages))
    _program(programs / "python", f"PYTHONPATH={path}${{PYTHONPATH:+:$PYTHONPATH}}", "export PYTHONPATH", f'exec {python} "$@"')
    _program(programs / "torchrun", f'exec {python} -m djsandbox_vbench.testing.torchrun {shlex.quote(str(folder))} "$@"')
    for module in ("vbench", "vbench/launch", "detectron2"):
        (packages / module).mkdir(parents=True, exist_ok=True)
        (packages / module / "__init__.py").touch()
    (packages / "detectron2" / "_C.py").touch()
    (packages / "vbench" / "launch" / "evaluate.py").write_text(_EVALUATE.format(prompts=PROMPT_LIST), encoding="utf-8")
    shutil.copyfile(SMALL_LIST, packages / "vbench" / PROMPT_LIST)


def make_videos(folder: Path, prompts: Path) -> None:
    """A file for each video that the prompt list wants, with a few bytes that differ."""
    folder.mkdir(parents=True, exist_ok=True)
    for prompt in read_prompts(prompts):
        for name in prompt.videos(".mp4"):
            (folder / name).write_bytes(f"stands for the video {name}\n".encode())


def _program(path: Path, *lines: str) -> None:
    path.write_text("\n".join(("#!/bin/sh", *lines, "")), encoding="utf-8")
    path.chmod(0o755)


def main(arguments: list[str] | None = None) -> int:
    """Make it, and print the options, one a line."""
    failures = "\n".join(f"  {name:<15} {what}" for name, what in FAILURES.items())
    parser = argparse.ArgumentParser(
        prog="python -m djsandbox_vbench.testing",
        description=_DESCRIPTION,
        epilog=f"ways to fail, by env_params: {{variables: {{{VARIABLE}: WAY or WAY:DIMENSION}}}}:\n{failures}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", metavar="FOLDER", help="where it is made: env/, videos/; no white space in its path")
    parser.add_argument("--job", default="vbench_eval", help="the job's meta_name, or its place (default: %(default)s)")
    parser.add_argument(
        "--only-env", action="store_true", help="print only the options of the environment: other jobs make the videos"
    )
    asked = parser.parse_args(arguments)
    path = str(Path(asked.folder).absolute())
    if any(sign.isspace() for sign in path):
        parser.error(f"the path '{path}' has white space, at which a shell would split the options: take another folder")
    for option in options(make(Path(path)), asked.job, with_videos=not asked.only_env):
        sys.stdout.write(f"--set {option}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
