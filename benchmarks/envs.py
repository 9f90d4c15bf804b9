"""How long it takes to make an environment and to find it again: uv beside venv + pip, in one run.

    python benchmarks/envs.py [--repeat 3] [--managers uv venv virtualenv] [--requirements six iniconfig idna packaging]

Both make the same recipe into an empty store, from the same package index; each installer's own cache is warmed once before,
so that the network counts for little. `found` is what a job pays for an environment that is there, in a process that has
imported djsandbox; `first found` is the same in a fresh process, imports and all. Less than 50 ms are asked for, and uv
at least five times as fast as venv + pip.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from djsandbox.envs import EnvRecipe, environment_for
from djsandbox.envs.places import VARIABLE
from djsandbox.envs.resolving import is_present

FRESH = """
import sys, time
began = time.perf_counter()
from djsandbox.envs import EnvRecipe, environment_for
environment_for(EnvRecipe("benchmark", requirements=tuple(sys.argv[2:])), manager=sys.argv[1])
print(time.perf_counter() - began)
"""
LIMIT_FOUND = 0.050
LIMIT_RATIO = 5.0


def seconds(what: Callable[[], object]) -> float:
    """Wall time of a call."""
    began = time.perf_counter()
    what()
    return time.perf_counter() - began


def measured(manager: str, recipe: EnvRecipe, repeat: int) -> tuple[float, float, float]:
    """Median seconds to make the environment, to find it, and to find it in a fresh process."""
    made, found, fresh = [], [], []
    for at in range(repeat + 1):
        with tempfile.TemporaryDirectory(prefix="envs-benchmark-") as store:
            os.environ[VARIABLE] = store
            first = seconds(lambda: environment_for(recipe, manager=manager))
            if at == 0:
                continue  # filled the caches
            made.append(first)
            found += [seconds(lambda: environment_for(recipe, manager=manager)) for _ in range(10)]
            argv = [sys.executable, "-c", FRESH, manager, *recipe.requirements]
            done = subprocess.run(argv, capture_output=True, text=True, check=True)  # noqa: S603 - our own code
            fresh.append(float(done.stdout))
            check_packages(recipe, store)
    return statistics.median(made), statistics.median(found), statistics.median(fresh)


def check_packages(recipe: EnvRecipe, store: str) -> None:
    """That the environment really holds what was asked for."""
    (build,) = (Path(store) / "builds").iterdir()
    installed = {path.name.partition("-")[0] for path in build.glob("env/lib/python*/site-packages/*.dist-info")}
    missing = {text.partition("=")[0] for text in recipe.requirements} - installed
    if missing:
        raise SystemExit(f"not installed: {missing}")


def main() -> int:
    """Print a table; exit code 1 where a limit is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3, help="environments made by each manager (default: %(default)s)")
    parser.add_argument("--managers", nargs="+", default=["uv", "virtualenv", "venv"])
    parser.add_argument("--requirements", nargs="+", default=["six", "iniconfig", "idna", "packaging"])
    arguments = parser.parse_args()
    recipe = EnvRecipe("benchmark", requirements=tuple(arguments.requirements))
    say = sys.stdout.write
    say(f"{len(recipe.requirements)} packages, median of {arguments.repeat}; seconds\n")
    say(f"{'':12}{'made':>10}{'found':>10}{'first found':>14}\n")
    made: dict[str, float] = {}
    slowest = 0.0
    for manager in arguments.managers:
        if not is_present(manager):
            say(f"{manager:12}{'not installed here':>34}\n")
            continue
        made[manager], found, fresh = measured(manager, recipe, arguments.repeat)
        slowest = max(slowest, found)
        say(f"{manager:12}{made[manager]:10.3f}{found:10.4f}{fresh:14.3f}\n")
    kept = slowest < LIMIT_FOUND
    if {"uv", "venv"} <= made.keys():
        ratio = made["venv"] / made["uv"]
        kept = kept and ratio >= LIMIT_RATIO
        say(f"uv is {ratio:.1f} times as fast as venv + pip (at least {LIMIT_RATIO:g} are asked for)\n")
    say(f"finding takes {slowest * 1000:.1f} ms (less than {LIMIT_FOUND * 1000:g} are asked for)\n")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
