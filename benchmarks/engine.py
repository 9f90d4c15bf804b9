"""What the engine itself costs a job: runs of 10, 100, 1,000 and more no-op jobs, first and resumed.

    python benchmarks/engine.py [--jobs 10 100 1000]

Each job is a component that returns a number; the time of a run, less what importing costs, is the engine's: planning,
content keys, journal, context, metrics. It should stay under 3 ms a job and not grow with their number.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import djsandbox

PARTS = """
from djsandbox import BaseProbe, ComponentConfig


class Number(BaseProbe):
    deterministic = True

    class Config(ComponentConfig):
        value: int

    def run(self):
        return self.config.value
"""


def write_config(folder: Path, jobs: int) -> Path:
    """A config of `jobs` jobs, every second of which reads from the one before."""
    lines = ["probe_job_configs:"]
    for at in range(jobs):
        lines += [
            "- hook: GeneralProbeHook",
            f"  meta_name: job{at}",
            "  output: number",
            f"  extra_configs: {{type: './parts.py:Number', value: {at}}}",
        ]
        if at % 2:
            lines.append("  input: {extra_configs.value: -1.number}")
    config = folder / "sandbox.yaml"
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return config


def seconds(call: Callable[[], object]) -> float:
    """How long `call` takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def measure(jobs: int) -> tuple[float, float, float]:
    """Seconds to validate, to run and to resume a config of `jobs` jobs in a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "parts.py").write_text(PARTS, encoding="utf-8")
        config = write_config(folder, jobs)
        os.chdir(folder)
        try:
            validated = seconds(lambda: djsandbox.validate(config))
            return validated, seconds(lambda: djsandbox.run(config)), seconds(lambda: djsandbox.run(config, resume=True))
        finally:
            os.chdir("/")


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, nargs="+", default=[10, 100, 1000])
    sizes = parser.parse_args().jobs
    measure(2)  # what is imported once is not a job's
    print(f"{'jobs':>6}  {'validate':>12}  {'run':>12}  {'resume':>12}   (ms a job)")  # noqa: T201
    for jobs in sizes:
        print(f"{jobs:>6}  " + "  ".join(f"{1000 * took / jobs:>12.2f}" for took in measure(jobs)))  # noqa: T201


if __name__ == "__main__":
    main()
