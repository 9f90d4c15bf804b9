"""Makes the stand-in in a folder, with an environment, videos and the options that let a config use them."""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
from pathlib import Path

from djsandbox_vbench.installed import PROMPT_LIST
from djsandbox_vbench.prompts import SMALL_LIST, read_prompts

_PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
_EVALUATE = """from pathlib import Path

from djsandbox_vbench.testing.evaluate import main

if __name__ == "__main__":
    main(Path(__file__).parent.parent / "{prompts}")
"""


def make(folder: Path, job: str = "vbench_eval") -> list[str]:
    """Make `env/` and `videos/` in `folder`; the options with which the job of that meta_name uses them."""
    folder = folder.absolute()
    make_environment(folder / "env")
    make_videos(folder / "videos", SMALL_LIST)
    values = {
        "env_manager": "existing",
        "env_params": f"{{path: {folder / 'env'}}}",
        "videos_path": str(folder / "videos"),
        "full_json_dir": str(SMALL_LIST),
    }
    return [part for key, value in values.items() for part in ("--set", f"{job}.extra_configs.{key}={value}")]


def make_environment(folder: Path) -> None:
    """An environment with `bin/python`, `bin/torchrun` and a package `vbench`, whose prompt list is our small one."""
    programs, package = folder / "bin", folder / "lib" / _PYTHON / "site-packages" / "vbench"
    programs.mkdir(parents=True, exist_ok=True)
    (package / "launch").mkdir(parents=True, exist_ok=True)
    python = shlex.quote(sys.executable)
    _program(programs / "python", f'exec {python} "$@"')
    _program(programs / "torchrun", f'exec {python} -m djsandbox_vbench.testing.torchrun {shlex.quote(str(folder))} "$@"')
    for module in (package, package / "launch"):
        (module / "__init__.py").touch()
    (package / "launch" / "evaluate.py").write_text(_EVALUATE.format(prompts=PROMPT_LIST), encoding="utf-8")
    shutil.copyfile(SMALL_LIST, package / PROMPT_LIST)


def make_videos(folder: Path, prompts: Path) -> None:
    """A file for each video that the prompt list wants, with a few bytes that differ."""
    folder.mkdir(parents=True, exist_ok=True)
    for prompt in read_prompts(prompts):
        for name in prompt.videos(".mp4"):
            (folder / name).write_bytes(f"stands for the video {name}\n".encode())


def _program(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(0o755)


def main() -> None:
    """Make it, and print the options, one a line, ready for a shell."""
    parser = argparse.ArgumentParser(prog="python -m djsandbox_vbench.testing", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--job", default="vbench_eval", help="the meta_name of the job, or where it stands in the config")
    given = parser.parse_args()
    options = make(given.folder, given.job)
    for flag, value in zip(options[::2], options[1::2], strict=True):
        sys.stdout.write(f"{flag} {shlex.quote(value)}\n")


if __name__ == "__main__":
    main()
