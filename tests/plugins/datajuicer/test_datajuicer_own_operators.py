"""Operators of the user's own are run as their files say now, however long the process has lived."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from djsandbox import ComponentError
from djsandbox_datajuicer.executor import DJExecutor

pytestmark = pytest.mark.usefixtures("data_juicer")
Read = Callable[[str], list[dict[str, Any]]]

_OPERATOR = '''
from data_juicer.ops.base_op import OPERATORS, TAGGING_OPS, UNFORKABLE, Mapper
{imports}

@TAGGING_OPS.register_module("{name}")
@OPERATORS.register_module("{name}")
class Marks(Mapper):
    """Writes a mark over the text."""

    def process_single(self, sample):
        sample["text"] = {mark}
        return sample
'''


def operator(path: Path, mark: str, imports: str = "", name: str | None = None) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_OPERATOR.format(name=name or path.stem, mark=mark, imports=imports), encoding="utf-8")
    return str(path)


@pytest.fixture
def marks(workplace: Any, texts: Any, rows_of: Read) -> Callable[..., set[str]]:
    """Runs a recipe with one own operator; gives the texts it left."""

    def process(own: str | Path, name: str, **more: Any) -> set[str]:
        job = workplace.job(
            DJExecutor,
            dataset_path=workplace.dataset(texts),
            export_path=workplace.out(),
            custom_operator_paths=[str(own)],
            process=[{name: None}],
            **more,
        )
        return {row["text"] for row in rows_of(job.run())}

    return process


@pytest.mark.parametrize("processes", [1, 2])
def test_an_edited_operator_is_run_as_edited_in_the_same_process(tmp_path: Path, marks: Any, processes: int) -> None:
    path = tmp_path / f"edited_{processes}_mapper.py"
    for mark in ("old", "new", "old"):  # of one size, within a second
        assert marks(operator(path, f"'{mark}'"), path.stem, np=processes) == {mark}


def test_an_edited_file_inside_a_package_of_operators_is_seen(tmp_path: Path, marks: Any) -> None:
    package = tmp_path / "package_of_own"
    operator(package / "__init__.py", "MARK", "from package_of_own.marks import MARK", name="packaged_mapper")
    for mark in ("old", "new"):
        (package / "marks.py").write_text(f"MARK = '{mark}'\n")
        assert marks(package, "packaged_mapper") == {mark}


def test_a_removed_operator_is_gone(tmp_path: Path, marks: Any) -> None:
    path = tmp_path / "renamed_by_its_author.py"
    assert marks(operator(path, "'first'", name="first_name_mapper"), "first_name_mapper") == {"first"}
    assert marks(operator(path, "'second'", name="second_name_mapper"), "second_name_mapper") == {"second"}
    from data_juicer.ops.base_op import OPERATORS, TAGGING_OPS

    for registry in (OPERATORS, TAGGING_OPS):
        assert "first_name_mapper" not in registry.modules
        assert "second_name_mapper" in registry.modules


def test_a_file_that_cannot_be_loaded_is_named_and_can_be_mended(tmp_path: Path, marks: Any) -> None:
    path = tmp_path / "broken_mapper.py"
    with pytest.raises(ComponentError, match=r"broken_mapper\.py cannot be loaded.*not_a_name"):
        marks(operator(path, "'mark'", imports="not_a_name"), "broken_mapper")
    assert marks(operator(path, "'mended'"), "broken_mapper") == {"mended"}


def test_a_file_whose_name_is_taken_by_a_module_clashes_and_leaves_that_module(tmp_path: Path, marks: Any) -> None:
    import json

    with pytest.raises(ComponentError, match="already loaded"):
        marks(operator(tmp_path / "json.py", "'mark'", name="clashing_mapper"), "clashing_mapper")
    assert sys.modules["json"] is json


def test_loading_writes_no_bytecode_beside_the_users_files(tmp_path: Path, marks: Any) -> None:
    path = tmp_path / "own" / "lone_mapper.py"
    before = sys.dont_write_bytecode
    marks(operator(path, "'mark'"), path.stem)
    assert list(path.parent.iterdir()) == [path]
    assert sys.dont_write_bytecode is before


def test_a_kept_cache_of_datasets_does_not_bring_back_what_old_code_made(tmp_path: Path, marks: Any) -> None:
    path = tmp_path / "cached_mapper.py"
    for mark in ("old", "new"):
        assert marks(operator(path, f"'{mark}'"), path.stem, ds_cache_dir=str(tmp_path / "kept"), use_cache=True) == {mark}
