"""Real distributions made on disk: a module, METADATA and entry_points.txt on `sys.path`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from djsandbox.plugins.index import plugin_index

Install = Callable[..., Path]

EVALUATOR = """
from djsandbox import BaseEvaluator

class {name}(BaseEvaluator):
    '''Answers {answer!r}.'''

    def run(self, eval_type, eval_obj=None, **kwargs):
        return {answer!r}
"""


def write_distribution(
    folder: Path,
    name: str,
    *,
    version: str = "1.0",
    modules: Mapping[str, str] | None = None,
    entry_points: Mapping[str, Mapping[str, str]] | None = None,
    requires: Sequence[str] = (),
    direct_url: str | None = None,
) -> Path:
    """Lay out what an installer would have left in `folder`."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    needs = "".join(f"Requires-Dist: {line}\n" for line in requires)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")
    sections = [
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in names.items())
        for group, names in (entry_points or {}).items()
    ]
    (info / "entry_points.txt").write_text("\n".join(sections))
    if direct_url is not None:
        (info / "direct_url.json").write_text(direct_url)
    for module, source in (modules or {}).items():
        file = folder.joinpath(*module.split(".")).with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
    return folder


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """`install(name, version=..., modules=..., entry_points=...)` installs a distribution for the time of the test."""
    before = set(sys.modules)

    def made(name: str, **details: object) -> Path:
        folder = write_distribution(tmp_path / "site" / name, name, **details)  # type: ignore[arg-type]
        monkeypatch.syspath_prepend(folder)
        importlib.invalidate_caches()
        plugin_index.cache_clear()
        return folder

    plugin_index.cache_clear()
    yield made
    plugin_index.cache_clear()
    for module in set(sys.modules) - before:
        places = [getattr(sys.modules[module], "__file__", None), *getattr(sys.modules[module], "__path__", ())]
        if any(str(place).startswith(str(tmp_path)) for place in places):
            del sys.modules[module]


@pytest.fixture
def evaluator() -> Callable[[str, object], str]:
    """Source of a module with one evaluator."""
    return lambda name, answer=0: EVALUATOR.format(name=name, answer=answer)
