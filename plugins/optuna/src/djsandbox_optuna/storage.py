"""The file in which Optuna keeps a sweep, and what protects it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from djsandbox import SandboxError, SweepConfig

if TYPE_CHECKING:
    from optuna import Study

RECORD = "optuna_journal.log"
SPACE = "djsandbox_space"
"""The study's attribute that says what it searches."""


class NoLock:
    """Optuna's lock of the file, left out: one run at a time has the work_dir, and a lock that outlives a kill costs 30 s."""

    def acquire(self) -> bool:
        """Nothing to wait for."""
        return True

    def release(self) -> None:
        """Nothing to give back."""


def open_study(name: str, sweep: SweepConfig, folder: Path) -> Study:
    """The study `name` in `folder`, a new one where there is none.

    SandboxError where it searches another space or for another goal (Optuna itself would go on with it), or cannot be read.
    """
    path = folder / RECORD
    folder.mkdir(parents=True, exist_ok=True)
    _drop_half_a_line(path)
    try:
        study = _load_or_create(name, sweep, path)
        study.get_trials(deepcopy=False)
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise SandboxError(
            f"cannot use the record of the sweep in {path}: {error}",
            fix="remove that file: it is made again from the trials that the journal of the run has",
        ) from error
    if (study.user_attrs.get(SPACE), study.direction.name.lower()) != (sweep.digest(), sweep.metric.goal):
        raise SandboxError(
            f"the record {path} is of another search: method, metric, goal or parameters were changed since the sweep began",
            where=sweep.at("parameters"),
            fix="undo the change, or begin a new sweep: run without --resume",
        )
    return study


def _load_or_create(name: str, sweep: SweepConfig, path: Path) -> Study:
    import optuna  # noqa: PLC0415
    from optuna.storages import JournalStorage  # noqa: PLC0415
    from optuna.storages.journal import JournalFileBackend  # noqa: PLC0415

    lock: Any = NoLock()
    storage = JournalStorage(JournalFileBackend(str(path), lock_obj=lock))
    if name in optuna.get_all_study_names(storage):
        study = optuna.load_study(study_name=name, storage=storage)
    else:
        study = optuna.create_study(study_name=name, storage=storage, direction=sweep.metric.goal)
    if SPACE not in study.user_attrs and not study.get_trials(deepcopy=False):  # killed just after it was created
        study.set_user_attr(SPACE, sweep.digest())
    return study


def _drop_half_a_line(path: Path) -> None:
    """Cut off what a killed process did not write to the end: Optuna would append to it, and never read the file again."""
    if not path.is_file():
        return
    with path.open("rb+") as file:
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            file.truncate(whole)
