import importlib
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import pytest
from djsandbox import hookimpl
from djsandbox.errors import JobFailed
from djsandbox.plugins.index import plugin_index

Lab = Any


def test_nothing_changed_so_nothing_runs_again_and_the_context_is_the_same(lab: Lab) -> None:
    lab.run(lab.CHAIN)
    before = lab.context_infos()
    lab.calls()
    result = lab.run(lab.CHAIN, resume=True)
    assert lab.calls() == []
    assert result.reused == ("anonymous/execution/0", "anonymous/execution/1")
    assert lab.context_infos() == before


def test_without_resume_everything_runs_again(lab: Lab) -> None:
    lab.run(lab.CHAIN)
    lab.calls()
    lab.run(lab.CHAIN)
    assert lab.calls() == ["write hello", "upper"]


# -- each of these changes one ingredient of the key, and only that ---------------------------------------------------------


def test_a_changed_config_value_runs_the_job_and_those_that_read_from_it(lab: Lab) -> None:
    lab.run(lab.CHAIN)
    lab.calls()
    lab.run(lab.CHAIN.replace("hello", "bye"), resume=True)
    assert lab.calls() == ["write bye", "upper"]
    assert (lab.folder / "out/b.txt").read_text() == "BYE"


def test_a_value_that_is_outside_the_key_runs_nothing(lab: Lab) -> None:
    lab.run(lab.CHAIN)
    lab.calls()
    lab.run(lab.CHAIN.replace("text: hello", "text: hello, threads: 8"), resume=True)
    assert lab.calls() == []


def test_a_changed_input_file_runs_the_job_that_reads_it(lab: Lab) -> None:
    (lab.folder / "in.txt").write_text("one")
    text = """
        execution_job_configs:
          - hook: GeneralDataExecutorHook
            extra_configs: {type: "./parts.py:Upper", dataset_path: in.txt, export_path: out/b.txt}
    """
    lab.run(text)
    lab.calls()
    (lab.folder / "in.txt").write_text("two")
    lab.run(text, resume=True)
    assert lab.calls() == ["upper"]


def test_a_file_that_an_input_only_names_counts_too(lab: Lab) -> None:
    lab.edit_parts(
        '    def run(self):\n        note("upper")',
        '    def referenced_files(self):\n        return [Path(self.config.dataset_path).read_text()]\n\n'
        '    def run(self):\n        note("upper")',
    )  # fmt: skip
    (lab.folder / "rows.txt").write_text("one")
    (lab.folder / "in.txt").write_text("rows.txt")
    text = """
        execution_job_configs:
          - hook: GeneralDataExecutorHook
            extra_configs: {type: "./parts.py:Upper", dataset_path: in.txt, export_path: out/b.txt}
    """
    lab.run(text)
    lab.calls()
    lab.run(text, resume=True)
    assert lab.calls() == []
    (lab.folder / "rows.txt").write_text("two")
    lab.run(text, resume=True)
    assert lab.calls() == ["upper"]


def test_a_changed_source_of_a_local_component_runs_its_jobs(lab: Lab) -> None:
    lab.run(lab.GIVE)
    lab.calls()
    lab.edit_parts("    return tuple(self", "    return 99 if True else tuple(self")
    lab.run(lab.GIVE, resume=True)
    assert lab.calls() == ["give 1"]
    assert lab.context_infos()["anonymous"][0]["a"] == 99


def test_another_component_of_the_same_config_runs(lab: Lab) -> None:
    lab.run(lab.GIVE)
    lab.calls()
    lab.edit_parts("class Fail(", "class Again(Give):\n    pass\n\n\nclass Fail(")
    lab.run(lab.GIVE, resume=True)
    lab.calls()
    lab.run(lab.GIVE.replace("Give", "Again"), resume=True)
    assert lab.calls() == ["give 1"]


def test_another_job_hook_runs_the_job(lab: Lab) -> None:
    lab.run(lab.GIVE)
    lab.calls()
    lab.run(lab.GIVE.replace("EvaluateDataHook", "EvaluateModelHook"), resume=True)
    assert lab.calls() == ["give 1"]


def test_another_meta_name_runs_the_job_because_its_metrics_bear_it(lab: Lab) -> None:
    lab.run(lab.GIVE)
    lab.calls()
    lab.run(lab.GIVE.replace("meta_name: m", "meta_name: n"), resume=True)
    assert lab.calls() == ["give 1"]


@pytest.fixture
def installed(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Installs a plugin with one evaluator, and a library that it names, in given versions."""
    site = lab.folder / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    # Two versions of one size within one second would share their bytecode.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def install(version: str = "1.0", library: str = "1.0", key_version: int = 1) -> None:
        (site / "tiny.py").write_text(
            textwrap.dedent(f"""
                from djsandbox import BaseEvaluator

                class Tiny(BaseEvaluator):
                    deterministic = True
                    key_version = {key_version}
                    libraries = ("tiny-library",)

                    def run(self, eval_type, eval_obj=None, **kwargs):
                        with open("calls.log", "a") as log:
                            log.write("tiny\\n")
                        return 1
            """)
        )
        for name, number, extra in (
            ("tiny", version, "[djsandbox.data_evaluators]\ntiny = tiny:Tiny\n"),
            ("tiny_library", library, ""),
        ):
            info = site / f"{name}-0.dist-info"
            info.mkdir(exist_ok=True)
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {number}\n")
            (info / "entry_points.txt").write_text(extra)
        from djsandbox.engine import ingredients

        sys.modules.pop("tiny", None)
        importlib.invalidate_caches()
        plugin_index.cache_clear()
        ingredients.library_version.cache_clear()

    yield install
    sys.modules.pop("tiny", None)
    plugin_index.cache_clear()


@pytest.mark.parametrize(
    "change",
    [{"version": "1.1"}, {"library": "2.0"}, {"key_version": 2}],
    ids=["plugin version", "library version", "key_version"],
)
def test_another_version_of_what_does_the_work_runs_the_job(
    lab: Lab, installed: Callable[..., None], change: dict[str, Any]
) -> None:
    text = "evaluation_job_configs: [{hook: EvaluateDataHook, extra_configs: {type: tiny}}]"
    installed()
    lab.run(text)
    assert lab.calls() == ["tiny"]
    installed()
    lab.run(text, resume=True)
    assert lab.calls() == []
    installed(**change)
    lab.run(text, resume=True)
    assert lab.calls() == ["tiny"]


def test_a_plugin_that_supplies_another_component_runs_the_job(lab: Lab) -> None:
    class Supplier:
        @hookimpl
        def djsandbox_make_evaluator(self, component_class: Any, config: Any) -> Any:
            return component_class(config)

    lab.run(lab.GIVE)
    lab.calls()
    lab.run(lab.GIVE, resume=True, plugins={"supplier": Supplier()})
    assert lab.calls() == ["give 1"]


def test_a_changed_result_of_an_upstream_job_runs_what_reads_it(lab: Lab) -> None:
    text = """
        evaluation_job_configs:
          - {hook: EvaluateDataHook, output: n, reuse: false, extra_configs: {type: "./parts.py:Count"}}
          - {hook: EvaluateDataHook, input: {extra_configs.value: -1.n}, extra_configs: {type: "./parts.py:Give"}}
    """
    lab.run(text)
    lab.run(text, resume=True)
    assert lab.calls() == ["count", "give 1", "count", "give 2"]


# -- outputs --------------------------------------------------------------------------------------------------------------


def test_a_lost_output_is_made_again(lab: Lab) -> None:
    lab.run(lab.CHAIN)
    lab.calls()
    (lab.folder / "out/b.txt").unlink()
    lab.run(lab.CHAIN, resume=True)
    assert lab.calls() == ["upper"]
    assert (lab.folder / "out/b.txt").exists()


def test_an_output_that_somebody_changed_is_made_again(lab: Lab) -> None:
    lab.run(lab.CHAIN)
    lab.calls()
    (lab.folder / "out/a.txt").write_text("HELLO, by hand")
    lab.run(lab.CHAIN, resume=True)
    assert lab.calls() == ["write hello"]
    assert (lab.folder / "out/a.txt").read_text() == "hello"


def test_an_output_that_goes_elsewhere_now_is_copied_there(lab: Lab) -> None:
    lab.run(lab.CHAIN)
    lab.calls()
    lab.run(lab.CHAIN.replace("out/b.txt", "elsewhere/c.txt"), resume=True)
    assert lab.calls() == []
    assert (lab.folder / "elsewhere/c.txt").read_text() == "HELLO"
    assert lab.context_infos()["anonymous"][1] == {"meta_name": "upper", "res_0": "elsewhere/c.txt"}


def test_outputs_may_be_renamed_without_running_the_job_again(lab: Lab) -> None:
    lab.run(lab.GIVE)
    lab.calls()
    lab.run(lab.GIVE.replace("output: a", "output: b"), resume=True)
    assert lab.calls() == []
    assert lab.context_infos()["anonymous"] == [{"meta_name": "m", "b": 1}]


def test_reuse_false_always_runs_the_job(lab: Lab) -> None:
    text = lab.GIVE.replace("meta_name: m", "meta_name: m, reuse: false")
    lab.run(text)
    lab.run(text, resume=True)
    assert lab.calls() == ["give 1", "give 1"]


def test_a_component_that_is_not_deterministic_is_resumed_but_never_shared(lab: Lab) -> None:
    job = '- {hook: EvaluateDataHook, meta_name: c, extra_configs: {type: "./parts.py:Count"}}'
    text = f"pipelines:\n  a: {{evaluation_job_configs: [{job[2:]}]}}\n  b: {{evaluation_job_configs: [{job[2:]}]}}\n"
    lab.run(text)
    assert lab.calls() == ["count", "count"]
    lab.run(text, resume=True)
    assert lab.calls() == []


def test_a_deterministic_job_is_shared_inside_a_run(lab: Lab) -> None:
    job = "{hook: EvaluateDataHook, meta_name: g, extra_configs: {type: './parts.py:Give', value: 3}}"
    lab.run(f"pipelines:\n  a: {{evaluation_job_configs: [{job}]}}\n  b: {{evaluation_job_configs: [{job}]}}\n")
    assert lab.calls() == ["give 3"]
    assert lab.context_infos()["b"] == [{"meta_name": "g", "res_0": 3}]


def test_metrics_and_tables_of_reused_jobs_are_there_as_if_they_had_run(lab: Lab) -> None:
    lab.edit_parts('note(f"give', 'self.watcher.watch_table("T", ["x"], [[1]]); note(f"give')
    first = lab.run(lab.GIVE)
    second = lab.run(lab.GIVE, resume=True)
    from djsandbox import SandboxWatcher

    assert SandboxWatcher(lab.work_dir).query("m") == 1
    assert second.tables == first.tables
    assert [table.title for table in second.tables] == ["T"]


def test_a_failed_run_goes_on_where_it_failed(lab: Lab) -> None:
    text = lab.CHAIN + '      - {hook: EvaluateDataHook, extra_configs: {type: "./parts.py:Fail"}}\n'
    with pytest.raises(JobFailed):
        lab.run(text)
    lab.calls()
    lab.edit_parts('raise RuntimeError("the disk is on fire")', "return 5")
    lab.run(text, resume=True)
    assert lab.calls()[-1] == "fail"


def test_a_data_frame_among_the_outputs_is_resumed_and_made_again_when_it_is_lost(lab: Lab) -> None:
    pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    lab.edit_parts(
        "return tuple(self", 'import pandas\n        return pandas.DataFrame({"x": [1, 2]})\n        return tuple(self'
    )
    first = lab.run(lab.GIVE)
    assert list(first.context["anonymous"][0]["a"]["x"]) == [1, 2]
    again = lab.run(lab.GIVE, resume=True)
    assert again.executed == ()
    assert again.context["anonymous"][0]["a"].equals(first.context["anonymous"][0]["a"])
    for file in (lab.work_dir / "jobs").rglob("*.parquet"):
        file.unlink()
    assert lab.run(lab.GIVE, resume=True).executed == ("anonymous/evaluation/0",)
