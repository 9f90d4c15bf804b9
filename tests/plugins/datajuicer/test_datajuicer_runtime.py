"""Data-Juicer is mended where it would do harm, and leaves nothing behind in this process."""

from __future__ import annotations

import ast
import inspect
import logging
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from djsandbox import ComponentError
from djsandbox_datajuicer import runtime
from djsandbox_datajuicer.executor import DJExecutor

pytestmark = pytest.mark.usefixtures("data_juicer")


def sources(package: Any) -> dict[str, ast.Module]:
    root = Path(package.__file__).parent
    return {
        str(path.relative_to(root)): ast.parse(path.read_text(encoding="utf-8"))
        for path in root.rglob("*.py")
        if path.name in ("lazy_loader.py", "base_op.py", "model_utils.py") or "import free_models" in path.read_text("utf-8")
    }


def test_the_loader_installs_in_the_one_place_that_is_mended() -> None:
    from data_juicer.utils import lazy_loader

    tree = ast.parse(inspect.getsource(lazy_loader))
    (loader,) = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    starting_programs = {
        method.name
        for method in loader.body
        if isinstance(method, ast.FunctionDef) and any("subprocess.check_call" in ast.unparse(node) for node in method.body)
    }
    assert starting_programs == {"_install_package"}
    assert "self._install_package(" in inspect.getsource(lazy_loader.LazyLoader._load)
    assert "cls._install_package(" in inspect.getsource(lazy_loader.LazyLoader.check_packages)


def test_models_are_freed_by_the_one_function_that_is_mended(data_juicer: Any) -> None:
    found = sources(data_juicer)
    users = {name for name, tree in found.items() if "free_models(" in ast.unparse(tree)}
    assert users - {"utils/unittest_utils.py"} == {"utils/model_utils.py", "ops/base_op.py"}
    (function,) = [
        node for node in found["utils/model_utils.py"].body if isinstance(node, ast.FunctionDef) and node.name == "free_models"
    ]
    assert "torch.cuda.empty_cache()" in ast.unparse(function)
    assert [argument.arg for argument in function.args.args] == ["clear_model_zoo"]


def test_the_analyzer_draws_with_the_two_classes_that_can_be_left_out() -> None:
    from data_juicer.core import analyzer

    drawing = {name for name in vars(analyzer) if name.endswith("Analysis")}
    assert drawing == {"ColumnWiseAnalysis", "CorrelationAnalysis", "OverallAnalysis"}
    with runtime.no_pictures():
        assert analyzer.ColumnWiseAnalysis is analyzer.CorrelationAnalysis
    assert analyzer.ColumnWiseAnalysis.__module__ == "data_juicer.analysis.column_wise_analysis"


def test_a_missing_package_is_named_and_not_installed(tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match="no_such_package_at_all") as raised, runtime.session(tmp_path, None):
        from data_juicer.utils.lazy_loader import LazyLoader

        LazyLoader("no_such_package_at_all").anything  # noqa: B018
    assert "pip install no_such_package_at_all" in str(raised.value)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_package_that_an_operator_asks_for_in_a_worker_is_refused(processes: int, workplace: Any, texts: Any) -> None:
    if find_spec("ftfy"):
        pytest.skip("ftfy is installed")
    job = workplace.job(
        DJExecutor,
        dataset_path=workplace.dataset(texts),
        export_path=workplace.out(),
        np=processes,
        process=[{"fix_unicode_mapper": None}],
    )
    with pytest.raises(ComponentError, match="not installed: ftfy"):
        job.run()
    assert find_spec("ftfy") is None
    assert not Path(workplace.out()).exists()


def test_a_recipe_without_models_runs_with_no_torch(workplace: Any, texts: Any, rows_of: Callable[[str], Any]) -> None:
    job = workplace.job(
        DJExecutor, dataset_path=workplace.dataset(texts), export_path=workplace.out(), process=[{"text_length_filter": None}]
    )
    assert rows_of(job.run())
    assert "torch" not in sys.modules or find_spec("torch") is not None


def test_what_data_juicer_prints_goes_to_the_log_of_the_job(workplace: Any, texts: Any, capfd: Any) -> None:
    job = workplace.job(
        DJExecutor,
        dataset_path=workplace.dataset(texts),
        export_path=workplace.out(),
        np=2,
        process=[{"text_length_filter": None}, {"words_num_filter": None}],
    )
    job.run()
    printed = capfd.readouterr()
    assert printed.out == printed.err == ""
    log = job.context.log_file.read_text(encoding="utf-8")
    assert "OP [words_num_filter] Done" in log
    assert "text_length_filter_compute_stats" in log  # a progress bar


def test_a_later_job_writes_to_its_own_log(workplace: Any, texts: Any) -> None:
    def job() -> Any:
        data = workplace.dataset(texts)
        return workplace.job(DJExecutor, dataset_path=data, export_path=workplace.out(), process=[{"words_num_filter": None}])

    first, second = job(), job()
    first.run()
    length = first.context.log_file.stat().st_size
    second.run()
    logging.getLogger("datasets").warning("from a handler that was made while Data-Juicer was imported")
    assert first.context.log_file.stat().st_size == length
    assert "OP [words_num_filter] Done" in second.context.log_file.read_text(encoding="utf-8")


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose path leaves room for the name of a socket (about 100 characters in all)."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_nothing_of_the_process_is_changed_by_a_run(workplace: Any, texts: Any, short_folder: Path) -> None:
    import datasets
    from data_juicer.utils.mm_utils import SpecialTokens

    def state() -> list[Any]:
        return [
            dict(os.environ),
            Path.cwd(),
            sys.argv,
            sys.stdout,
            sys.stderr,
            tempfile.tempdir,
            datasets.is_caching_enabled(),
            datasets.config.HF_DATASETS_CACHE,
            datasets.config.HF_UPDATE_DOWNLOAD_COUNTS,
            SpecialTokens.image,
        ]

    before = state()
    workplace.job(
        DJExecutor,
        dataset_path=workplace.dataset(texts),
        export_path=workplace.out(),
        use_cache=False,
        temp_dir=str(short_folder),
        image_special_token="<picture>",
        process=[{"text_length_filter": None}],
    ).run()
    assert state() == before


def test_an_environment_variable_of_ours_is_not_taken_for_a_key_of_data_juicer(
    workplace: Any, texts: Any, monkeypatch: pytest.MonkeyPatch, rows_of: Callable[[str], Any]
) -> None:
    monkeypatch.setattr(sys, "argv", ["djsandbox", "run"])
    monkeypatch.setenv("DJSANDBOX_KEEP_STATS_IN_RES_DS", "true")
    job = workplace.job(
        DJExecutor, dataset_path=workplace.dataset(texts), export_path=workplace.out(), process=[{"text_length_filter": None}]
    )
    assert set(rows_of(job.run())[0]) == {"text", "meta"}
