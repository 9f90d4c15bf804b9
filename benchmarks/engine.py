"""What the engine itself costs a job, and a task: runs of 10, 100, 1,000 and more of them that do nothing, first and resumed.

    python benchmarks/engine.py [--jobs 10 100 1000 10000] [--tasks 10 100 1000] [--max-parallel 2]

Each job is a component that returns a number; the time of a run, less what importing costs, is the engine's: planning,
content keys, journal, context, metrics. It should stay under 3 ms a job and not grow with their number.

The tasks are those of one job, and each is a `touch` of its output. `alone` is what running the same commands costs without
tasks, each under its supervisor, one after the other. `resume` is a run in which all tasks are taken over and only their
job is repeated.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import djsandbox
from djsandbox.process.command import Command
from djsandbox.process.running import run

PARTS = """
import os

from djsandbox import BaseProbe, CommandConfig, CommandExecutor, ComponentConfig, Task


class Number(BaseProbe):
    deterministic = True

    class Config(ComponentConfig):
        value: int

    def run(self):
        return self.config.value


class Touch(CommandExecutor):
    class Config(CommandConfig):
        count: int

    def tasks(self, run_type, run_obj=None):
        for at in range(self.config.count):
            path = str(self.work_dir / f"{at}")
            yield Task(f"task{at}", ("touch", path), (path,))

    def job_result(self, results):
        if os.path.exists("fail"):
            raise RuntimeError("so that the job has to be repeated")
        return len(results)
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


def measure(jobs: int) -> tuple[float, ...]:
    """Seconds to validate, to run and to resume a config of `jobs` jobs in a folder of its own."""
    with laboratory() as folder:
        config = write_config(folder, jobs)
        validated = seconds(lambda: djsandbox.validate(config))
        return validated, seconds(lambda: djsandbox.run(config)), seconds(lambda: djsandbox.run(config, resume=True))


def measure_tasks(tasks: int, max_parallel: int) -> tuple[float, ...]:
    """Seconds to run the commands of `tasks` tasks alone, to run them as tasks of one job, and to take them over."""
    with laboratory() as folder:
        config = folder / "sandbox.yaml"
        config.write_text(
            f"launcher: {{max_parallel: {max_parallel}, cpus: {max_parallel}}}\nexecution_job_configs:\n"
            f"- {{hook: TrainModelHook, output: count, extra_configs: {{type: './parts.py:Touch', count: {tasks}}}}}\n",
            encoding="utf-8",
        )
        alone = seconds(lambda: [run(Command(("touch", f"alone{at}"))) for at in range(tasks)])
        (folder / "fail").touch()
        first = seconds(lambda: must_fail(config))
        (folder / "fail").unlink()
        return alone, first, seconds(lambda: djsandbox.run(config, resume=True))


def must_fail(config: Path) -> None:
    """Run all tasks, in a job that fails at its end."""
    try:
        djsandbox.run(config)
    except djsandbox.JobFailed:
        return
    raise AssertionError("the job should have failed")


@contextlib.contextmanager
def laboratory() -> Iterator[Path]:
    """A folder with the components, which is the current one meanwhile."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "parts.py").write_text(PARTS, encoding="utf-8")
        os.chdir(folder)
        try:
            yield folder
        finally:
            os.chdir("/")


def table(what: str, columns: Sequence[str], sizes: Sequence[int], call: Callable[[int], tuple[float, ...]]) -> None:
    """Measure each size and print a line of milliseconds for it."""
    print(f"{what:>6}  " + "  ".join(f"{column:>12}" for column in columns) + f"   (ms a {what[:-1]})")  # noqa: T201
    for size in sizes:
        print(f"{size:>6}  " + "  ".join(f"{1000 * took / size:>12.2f}" for took in call(size)))  # noqa: T201


def main() -> None:
    """Measure and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, nargs="*", default=[10, 100, 1000, 10000])
    parser.add_argument("--tasks", type=int, nargs="*", default=[10, 100, 1000])
    parser.add_argument("--max-parallel", type=int, default=2)
    options = parser.parse_args()
    measure(2)  # what is imported once is not a job's
    measure_tasks(2, 2)
    table("jobs", ("validate", "run", "resume"), options.jobs, measure)
    table("tasks", ("alone", "run", "resume"), options.tasks, lambda size: measure_tasks(size, options.max_parallel))


if __name__ == "__main__":
    main()
