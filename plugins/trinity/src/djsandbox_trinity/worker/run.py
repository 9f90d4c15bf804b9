"""One training: the config is checked, Ray is found or started, `trinity run` is run, and its log is read for failures.

Trinity ends with exit code 0 whatever becomes of the training. This program does not: 1 says that the training failed, 2 that
the config is wrong, 3 that there is no Ray.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import uuid
from pathlib import Path

from .failures import FailureReader
from .own_ray import RayProblem, own_head, status

FAILED, WRONG_CONFIG, NO_RAY = 1, 2, 3
ROOT_VARIABLE = "DJSANDBOX_TRINITY_ROOT"
NAMESPACE_VARIABLE = "DJSANDBOX_TRINITY_NAMESPACE"
NOTE = "run.json"
"""The file in the task's folder that tells which attempt is the latest, where its job lies, and what was there before."""
PATIENCE = 300.0
"""Seconds that Trinity may go on after it has said that it failed; it may wait for an hour for what will never come."""
_CHECK = Path(__file__).with_name("check_config.py")
_STEP = re.compile(r"global_step_(\d+)")
_REPORTS = ("*.log", "events.out.tfevents.*")  # what a training reports in, and a continued one goes on with
_CHECKING = 600.0


def main(arguments: list[str] | None = None) -> int:
    """Run one training; returns the exit code."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    attempt = attempt_folder(Path(options.folder), continues=options.continues)
    env = {**os.environ, ROOT_VARIABLE: str(attempt), NAMESPACE_VARIABLE: f"djsandbox-{uuid.uuid4().hex}"}
    if options.ray_address:
        env["RAY_ADDRESS"] = options.ray_address
    try:
        job_dir = _check_config(options.config, env)
    except ValueError as error:
        return _say(WRONG_CONFIG, f"the Trinity config {options.config} is wrong: {error}")
    _note(Path(options.folder), attempt, Path(job_dir))
    try:
        with contextlib.ExitStack() as stack:
            if options.start_ray:
                env = stack.enter_context(own_head(options.ray, env))
                _say(0, f"a Ray head of our own is ready at {env['RAY_ADDRESS']}")
            else:
                _find_ray(options.ray, env)
            plugins = ["--plugin-dir", options.plugin_dir] if options.plugin_dir else []
            return _train([options.trinity, "run", "--config", options.config, *plugins], env)
    except RayProblem as error:
        return _say(NO_RAY, str(error))


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("--trinity", "--ray", "--config", "--folder"):
        parser.add_argument(name, required=True)
    parser.add_argument("--continues", action="store_true")
    parser.add_argument("--start-ray", action="store_true")
    parser.add_argument("--ray-address")
    parser.add_argument("--plugin-dir")
    return parser.parse_args(arguments)


def attempt_folder(folder: Path, *, continues: bool) -> Path:
    """The checkpoint root of this attempt: a new folder, or the latest there is where the training is to be continued."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = [int(path.name.removeprefix("attempt_")) for path in folder.glob("attempt_*") if path.name[8:].isdigit()]
    latest = max(numbers, default=0)
    chosen = folder.absolute() / f"attempt_{latest if continues and latest else latest + 1}"
    chosen.mkdir(exist_ok=True)
    return chosen


def _check_config(config: str, env: dict[str, str]) -> str:
    """The folder that the job will have; ValueError where Trinity would refuse the config."""
    argv = [sys.executable, str(_CHECK), config]
    checked = subprocess.run(  # noqa: S603 - our own program
        argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=_CHECKING, check=False
    )
    lines = checked.stdout.decode(errors="replace").split("\n")
    answer = next((line for line in reversed(lines) if line.startswith("{")), None)
    if answer is None:
        raise ValueError(f"nothing was heard of its check, which ended with exit code {checked.returncode}")
    told = json.loads(answer)
    if "problem" in told:
        raise ValueError(told["problem"])
    job_dir: str = told["job_dir"]
    return job_dir


def _note(folder: Path, attempt: Path, job_dir: Path) -> None:
    """Write down where this attempt's results will be, and what is there already: that is no result of it."""
    files = [path for pattern in _REPORTS for path in attempt.rglob(pattern)]
    sizes = {str(path.relative_to(attempt)): path.stat().st_size for path in files}
    steps = sorted({int(found[1]) for path in attempt.rglob("global_step_*") if (found := _STEP.fullmatch(path.name))})
    note = {"job_dir": str(job_dir.absolute()), "attempt": str(attempt), "sizes_before": sizes, "steps_before": steps}
    temporary = folder / f".{NOTE}"
    temporary.write_text(json.dumps(note), encoding="utf-8")
    temporary.replace(folder / NOTE)


def _find_ray(ray: str, env: dict[str, str]) -> None:
    is_there, said = status(ray, env)
    if is_there:
        return
    if re.search("InvalidAuthToken|authenticat", said, re.IGNORECASE):
        raise RayProblem(
            "Ray runs here and refuses us: it wants the token of who started it. Give it in RAY_AUTH_TOKEN or "
            "RAY_AUTH_TOKEN_PATH, or let a Ray of our own be started: start_ray: true\n" + said[-1000:].strip()
        )
    where = f" at {env['RAY_ADDRESS']}" if env.get("RAY_ADDRESS") else ""
    raise RayProblem(
        f"Ray is not running{where}. Start it with `{ray} start --head`, or let one be started for the time of this job: "
        f"start_ray: true\n{said[-1000:].strip()}"
    )


def _train(argv: list[str], env: dict[str, str]) -> int:
    trinity = subprocess.Popen(  # noqa: S603 - the program of the environment
        argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    reader = FailureReader()
    try:
        _follow(trinity, reader)
        code = trinity.wait()
    finally:
        _end(trinity)
    if reader.what:
        return _say(FAILED, f"Trinity says that it failed, and ended with exit code {code}: {reader.message()}")
    return code if code >= 0 else _say(FAILED, f"trinity was ended by signal {-code}")


def _follow(trinity: subprocess.Popen[bytes], reader: FailureReader) -> None:
    """Hand on what Trinity prints until it ends; not much longer than it takes it to say that it failed."""
    limit: threading.Timer | None = None
    unfinished = b""
    try:
        while chunk := os.read(trinity.stdout.fileno(), 65_536) if trinity.stdout else b"":
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            *lines, unfinished = (unfinished + chunk).split(b"\n")
            for line in lines:
                reader.feed(line.decode("utf-8", errors="replace"))
            if reader.what and limit is None:
                limit = threading.Timer(PATIENCE, trinity.terminate)
                limit.daemon = True
                limit.start()
    finally:
        if limit is not None:
            limit.cancel()


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _say(code: int, text: str) -> int:
    sys.stdout.write(f"djsandbox: {text}\n")
    sys.stdout.flush()
    return code
