"""Data-Juicer in this process: imported once, mended in the few places where it would do harm, its output in our log.

What is mended, and why (a test fails when a new release of Data-Juicer changes one of these):
- `LazyLoader._install_package` installs whatever is missing into the running interpreter. Here it refuses, naming the package.
- `free_models` ends with `torch.cuda.empty_cache()`, which makes the first filter of any recipe ask for torch. Without torch
  there is nothing to free on a GPU.
- Its parser reads environment variables that begin with the program's name (`DJSANDBOX_DEBUG` would be its `debug`): it is
  given a program name of its own.

Workers of `np` > 1 are forked and inherit all of it; for those of GPU operators, which are spawned, the environment keeps
installers from working.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from djsandbox import Capture, ComponentError, captured

from djsandbox_datajuicer.own_operators import load_current

_NO_INSTALLER = {"UV_PYTHON": os.devnull, "UV_OFFLINE": "1", "PIP_NO_INDEX": "1"}
_PROGRAM = "data-juicer-recipe"
_OP_DONE = re.compile(r"\[\d+/\d+\] OP \[(?P<op>[^\]]+)\] Done in [\d.]+s\. Left (?P<left>\d+) samples\.")
_OP_ERROR = "An error occurred in "
_ONE_AT_A_TIME = threading.RLock()
_refusals: list[Path] = []
"""The file that notes refused installations, of the session that is open; forked workers see it as it was."""


@dataclass
class Session:
    """One use of Data-Juicer by one job."""

    log: Path
    capture: Capture
    start_of_log: int
    refused: Path
    left_after: list[tuple[str, int]] = field(default_factory=list)
    """(operator, rows left after it), as Data-Juicer reports them."""

    def operator_errors(self) -> list[str]:
        """What operators failed with: Data-Juicer logs these and drops the rows."""
        self.capture.sync()
        with self.log.open(encoding="utf-8", errors="replace") as lines:
            lines.seek(self.start_of_log)
            return [line.split(_OP_ERROR, 1)[1].strip() for line in lines if _OP_ERROR in line]

    def raise_refused(self) -> None:
        """Raise if an operator asked for a package that is not installed, even where Data-Juicer swallowed that."""
        if self.refused.exists():
            raise _missing(self.refused.read_text(encoding="utf-8").split())


@contextlib.contextmanager
def session(work_dir: Path, log_file: Path | None) -> Iterator[Session]:
    """Data-Juicer ready for use; whatever it prints meanwhile goes to `log_file`, and process-wide settings come back after."""
    work_dir.mkdir(parents=True, exist_ok=True)
    log = log_file or work_dir / "data_juicer.log"
    with _ONE_AT_A_TIME, captured(log) as capture, _environment():
        prepare()
        capture.sync()
        opened = Session(log, capture, log.stat().st_size, work_dir / "refused_packages.txt")
        opened.refused.unlink(missing_ok=True)
        _refusals.append(opened.refused)
        try:
            with _settings_kept(), _logged(opened):
                yield opened
        except BaseException:
            opened.raise_refused()
            raise
        else:
            opened.raise_refused()
        finally:
            _refusals.pop()


@functools.cache
def prepare() -> None:
    """Import Data-Juicer and mend it; call it inside a session, whose log takes what the import prints."""
    fresh = "data_juicer" not in sys.modules
    from data_juicer.utils.lazy_loader import LazyLoader  # noqa: PLC0415 - five seconds, paid by the first job that runs

    LazyLoader._install_package = classmethod(_refuse)
    import data_juicer.core  # noqa: F401, PLC0415
    from data_juicer.ops import base_op  # noqa: PLC0415
    from data_juicer.utils import model_utils  # noqa: PLC0415

    if fresh:
        from loguru import logger  # noqa: PLC0415

        logger.remove()  # its import removed all handlers and added one for the terminal
    if find_spec("torch") is None:
        freed = functools.partial(_forget_models, model_utils)
        model_utils.free_models = freed
        base_op.free_models = freed


def _refuse(_loader: type, package: str, pip_args: Any = None) -> None:
    name = str(package)
    if _refusals:
        with _refusals[-1].open("a", encoding="utf-8") as note:
            note.write(f"{name}\n")
    raise _missing([name])


def _missing(packages: list[str]) -> ComponentError:
    names = sorted(set(packages))
    listed = " ".join(names)
    return ComponentError(
        f"an operator of the recipe needs what is not installed: {', '.join(names)}",
        fix=f"pip install {listed}  (in an environment with uv: uv pip install {listed}); nothing is installed by itself",
    )


def _forget_models(model_utils: Any, clear_model_zoo: bool = True) -> None:
    if clear_model_zoo:
        model_utils.MODEL_ZOO.clear()


@contextlib.contextmanager
def _environment() -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(_NO_INSTALLER)
    try:
        yield
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update({name: value for name, value in before.items() if os.environ.get(name) != value})


@contextlib.contextmanager
def _settings_kept() -> Iterator[None]:
    """Put back what recipes change for the whole process: caches, special tokens, folder of temporary files."""
    import tempfile  # noqa: PLC0415

    import datasets  # noqa: PLC0415
    from data_juicer.utils import cache_utils  # noqa: PLC0415
    from data_juicer.utils.mm_utils import SpecialTokens  # noqa: PLC0415
    from datasets import config  # noqa: PLC0415

    caching = datasets.is_caching_enabled()
    tokens = {name: getattr(SpecialTokens, name) for name in ("image", "audio", "video", "eoc")}
    names = ("HF_DATASETS_CACHE", "DEFAULT_DOWNLOADED_DATASETS_PATH", "DOWNLOADED_DATASETS_PATH",
             "DEFAULT_EXTRACTED_DATASETS_PATH", "EXTRACTED_DATASETS_PATH", "HF_UPDATE_DOWNLOAD_COUNTS")  # fmt: skip
    paths = {name: getattr(config, name) for name in names if hasattr(config, name)}
    before = (tempfile.tempdir, cache_utils.CACHE_COMPRESS, sys.argv)
    config.HF_UPDATE_DOWNLOAD_COUNTS = False  # it would call home for each local file
    sys.argv = [_PROGRAM]
    try:
        yield
    finally:
        tempfile.tempdir, cache_utils.CACHE_COMPRESS, sys.argv = before
        for name, value in paths.items():
            setattr(config, name, value)
        for name, value in tokens.items():
            setattr(SpecialTokens, name, value)
        (datasets.enable_caching if caching else datasets.disable_caching)()


@contextlib.contextmanager
def _logged(opened: Session) -> Iterator[None]:
    from loguru import logger  # noqa: PLC0415

    def note(message: Any) -> None:
        found = _OP_DONE.search(str(message))
        if found:
            opened.left_after.append((found["op"], int(found["left"])))

    sinks: list[tuple[Any, str]] = [(sys.stderr, "{time:HH:mm:ss} {level} {name}: {message}"), (note, "{message}")]
    handlers = [logger.add(sink, level="INFO", format=form, colorize=False) for sink, form in sinks]
    try:
        yield
    finally:
        for handler in handlers:
            logger.remove(handler)


def parsed(settings: dict[str, Any], work_dir: Path) -> Any:
    """Data-Juicer's own configuration object for `settings`; its files will lie in `work_dir`."""
    from data_juicer.config import get_init_configs  # noqa: PLC0415

    complete = {**settings, "work_dir": str(work_dir.resolve()), "job_id": "run"}
    complete.setdefault("ds_cache_dir", str((work_dir / "cache").resolve()))
    paths = complete.pop("custom_operator_paths", None) or []
    load_current([paths] if isinstance(paths, str) else paths)
    try:
        config = get_init_configs(complete)
    except SystemExit as stop:
        raise ComponentError("Data-Juicer refuses the recipe", fix="its reason is in the log of the job") from stop
    if config.np == 1:
        _work_in_this_process(config.process)
    return config


def _work_in_this_process(process: list[dict[str, Any]]) -> None:
    """Spare each step of `np: 1` a pool with one worker."""
    for entry in process:
        for arguments in entry.values():
            if arguments.get("num_proc") == 1:
                arguments.update(num_proc=None, auto_op_parallelism=False)


@contextlib.contextmanager
def no_pictures() -> Iterator[None]:
    """An analysis that draws nothing: neither histograms nor correlations."""
    from data_juicer.core import analyzer  # noqa: PLC0415

    names = ("ColumnWiseAnalysis", "CorrelationAnalysis")
    drawing = {name: getattr(analyzer, name) for name in names}
    try:
        for name in names:
            setattr(analyzer, name, _DrawsNothing)
        yield
    finally:
        for name, original in drawing.items():
            setattr(analyzer, name, original)


class _DrawsNothing:
    """Takes the place of Data-Juicer's drawing classes."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def analyze(self, *_: Any, **__: Any) -> None:
        """Nothing."""


def tidy(work_dir: Path) -> None:
    """Remove the cache that `datasets` kept in `work_dir` for one job."""
    shutil.rmtree(work_dir / "cache", ignore_errors=True)
