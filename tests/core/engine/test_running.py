from typing import Any

import pytest
from djsandbox.errors import ConfigError, JobFailed

Lab = Any


def test_outputs_reach_later_jobs_by_reference_in_the_guides_shape(lab: Lab) -> None:
    result = lab.run("""
        pipelines:
          one:
            execution_job_configs:
              - hook: GeneralDataExecutorHook
                meta_name: write
                output: path
                extra_configs: {type: "./parts.py:Write", export_path: out/a.txt}
          two:
            execution_job_configs:
              - hook: GeneralDataExecutorHook
                meta_name: upper
                input: {extra_configs.dataset_path: one.write.path}
                extra_configs: {type: "./parts.py:Upper", dataset_path: <from the first pipeline>, export_path: out/b.txt}
    """)
    assert (lab.folder / "out/b.txt").read_text() == "HELLO"
    expected = {
        "one": [{"meta_name": "write", "path": "out/a.txt"}],
        "two": [{"meta_name": "upper", "res_0": "out/b.txt"}],
    }
    assert lab.context_infos() == expected
    assert result.context == expected


def test_minus_one_is_the_last_job_that_produced_something_across_pipelines(lab: Lab) -> None:
    lab.run("""
        pipelines:
          - a:
              evaluation_job_configs:
                - {hook: EvaluateDataHook, output: x, extra_configs: {type: "./parts.py:Give", value: 7}}
                - {hook: EvaluateDataHook, extra_configs: {type: "./parts.py:Silent"}}
          - empty: {}
          - b:
              evaluation_job_configs:
                - hook: EvaluateDataHook
                  input: {extra_configs.value: -1.x}
                  extra_configs: {type: "./parts.py:Give", value: <the_value_of_a>}
    """)
    assert lab.calls() == ["give 7", "silent", "give 7"]
    assert lab.context_infos() == {
        "a": [{"meta_name": "", "x": 7}, {"meta_name": ""}],
        "empty": [],
        "b": [{"meta_name": "", "res_0": 7}],
    }


def test_keys_may_be_nested_on_both_sides_and_local_is_applied_before_input(lab: Lab) -> None:
    lab.run("""
        evaluation_job_configs:
          - hook: EvaluateDataHook
            meta_name: source
            output: report
            extra_configs: {type: "./parts.py:Give", value: {scores: [{mean: 0.5}, {mean: 0.75}]}}
          - hook: EvaluateDataHook
            meta_name: target
            input: {extra_configs.value.b: anonymous.source.report.scores.1.mean}
            local: {extra_configs.value.a: 1, extra_configs.value.b: 2}
            extra_configs: {type: "./parts.py:Give", value: {a: 0, c: 3}}
    """)
    assert lab.context_infos()["anonymous"][1]["res_0"] == {"a": 1, "b": 0.75, "c": 3}


def test_input_may_replace_a_whole_block(lab: Lab) -> None:
    lab.run("""
        evaluation_job_configs:
          - hook: EvaluateDataHook
            meta_name: source
            output: config
            extra_configs: {type: "./parts.py:Give", value: {type: "./parts.py:Give", value: 42}}
          - hook: EvaluateDataHook
            input: {extra_configs: -1.config}
            local: {extra_configs.value: 43}
            extra_configs: <the_config_that_the_source_gives>
    """)
    assert lab.context_infos()["anonymous"][1]["res_0"] == 43


def test_a_tuple_is_several_outputs_named_in_order_and_a_list_is_one(lab: Lab) -> None:
    lab.run("""
        evaluation_job_configs:
          - {hook: EvaluateDataHook, output: [a, b], extra_configs: {type: "./parts.py:Give", value: [1, 2], several: true}}
          - {hook: EvaluateDataHook, extra_configs: {type: "./parts.py:Give", value: [1, 2], several: true}}
          - {hook: EvaluateDataHook, output: all, extra_configs: {type: "./parts.py:Give", value: [1, 2]}}
    """)
    assert lab.context_infos()["anonymous"] == [
        {"meta_name": "", "a": 1, "b": 2},
        {"meta_name": "", "res_0": 1, "res_1": 2},
        {"meta_name": "", "all": [1, 2]},
    ]


@pytest.mark.parametrize(
    ("output", "value", "message"),
    [
        ("[a, b, c]", "[1, 2]", r"'output' names 3 results \(a, b, c\), but the job returns 2 results"),
        ("a", "[1, 2]", r"'output' names 1 result \(a\), but the job returns 2 results"),
    ],
)
def test_a_wrong_number_of_outputs_names_both_counts(lab: Lab, output: str, value: str, message: str) -> None:
    with pytest.raises(JobFailed, match=message):
        lab.run(f"""
            evaluation_job_configs:
              - hook: EvaluateDataHook
                output: {output}
                extra_configs: {{type: "./parts.py:Give", value: {value}, several: true}}
        """)


def test_no_result_where_one_is_declared_is_an_error(lab: Lab) -> None:
    with pytest.raises(JobFailed, match=r"'output' names 1 result \(a\), but the job returns no result"):
        lab.run("evaluation_job_configs: [{hook: EvaluateDataHook, output: a, extra_configs: {type: './parts.py:Give'}}]")


def test_two_jobs_may_share_a_meta_name_when_their_outputs_differ(lab: Lab) -> None:
    lab.run("""
        evaluation_job_configs:
          - {hook: EvaluateDataHook, meta_name: same, output: a, extra_configs: {type: "./parts.py:Give", value: 1}}
          - {hook: EvaluateDataHook, meta_name: same, output: b, extra_configs: {type: "./parts.py:Give", value: 2}}
          - hook: EvaluateDataHook
            input: {extra_configs.value.a: anonymous.same.a, extra_configs.value.b: anonymous.same.b}
            extra_configs: {type: "./parts.py:Give"}
    """)
    assert lab.context_infos()["anonymous"][2]["res_0"] == {"a": 1, "b": 2}


def test_a_failing_job_ends_the_run_and_its_log_has_the_cause(lab: Lab) -> None:
    with pytest.raises(JobFailed, match="job anonymous/evaluation/1 failed: RuntimeError: the disk is on fire") as caught:
        lab.run("""
            evaluation_job_configs:
              - {hook: EvaluateDataHook, output: a, extra_configs: {type: "./parts.py:Give", value: 1}}
              - {hook: EvaluateDataHook, extra_configs: {type: "./parts.py:Fail"}}
              - {hook: EvaluateDataHook, extra_configs: {type: "./parts.py:Give", value: 3}}
        """)
    assert lab.calls() == ["give 1", "fail"]
    log = (lab.folder / str(caught.value.log)).read_text()
    assert "printed before the end" in log
    assert "Traceback" in log
    assert [event["event"] for event in lab.journal()][-2:] == ["job_failed", "run_finished"]
    assert lab.context_infos() == {"anonymous": [{"meta_name": "", "a": 1}]}


def test_what_a_job_prints_goes_to_its_log_and_not_to_the_terminal(lab: Lab, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(JobFailed):
        lab.run("evaluation_job_configs: [{hook: EvaluateDataHook, extra_configs: {type: './parts.py:Fail'}}]")
    assert "printed before the end" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("spelling", ["./out/a.txt", "out/iter_1/a.txt", "out/../out/a.txt"])
def test_a_written_path_that_is_an_earlier_jobs_output_means_that_output(lab: Lab, spelling: str) -> None:
    lab.run(f"""
        execution_job_configs:
          - {{hook: GeneralDataExecutorHook, extra_configs: {{type: "./parts.py:Write", export_path: out/a.txt}}}}
          - hook: GeneralDataExecutorHook
            extra_configs: {{type: "./parts.py:Upper", dataset_path: {spelling}, export_path: out/b.txt}}
    """)
    assert (lab.folder / "out/b.txt").read_text() == "HELLO"


def test_evaluation_results_can_be_queried_after_the_run(lab: Lab) -> None:
    lab.run("""
        evaluation_job_configs:
          - hook: EvaluateDataHook
            meta_name: e
            extra_configs: {type: "./parts.py:Give", value: {acc: 0.5, per: {a: 1, b: 2}}}
    """)
    from djsandbox import SandboxWatcher

    watcher = SandboxWatcher(lab.work_dir)
    assert watcher.query("e.acc") == 0.5
    assert watcher.query("e.per") == {"a": 1, "b": 2}
    assert watcher.query("nothing") is None


def test_a_relative_component_file_is_found_from_the_file_that_names_it(lab: Lab) -> None:
    (lab.folder / "sub").mkdir()
    lab.write("type: '../parts.py:Give'\nvalue: 5\n", "sub/extra.yaml")
    lab.run("evaluation_job_configs: [{hook: EvaluateDataHook, output: a, extra_configs: sub/extra.yaml}]")
    assert lab.context_infos() == {"anonymous": [{"meta_name": "", "a": 5}]}


def test_a_value_that_cannot_be_recorded_names_the_output(lab: Lab) -> None:
    lab.edit_parts("return tuple(self.config.value) if self.config.several else self.config.value", "return object()")
    with pytest.raises(JobFailed, match="cannot record 'a'"):
        lab.run("evaluation_job_configs: [{hook: EvaluateDataHook, output: a, extra_configs: {type: './parts.py:Give'}}]")


def test_an_observer_hears_the_whole_life_of_a_run(lab: Lab) -> None:
    from djsandbox import hookimpl

    class Observer:
        def __init__(self) -> None:
            self.heard: list[str] = []

        @hookimpl
        def djsandbox_run_started(self, run: Any) -> None:
            self.heard.append(f"run {run.run_id}")

        @hookimpl
        def djsandbox_job_started(self, job: Any) -> None:
            self.heard.append(f"started {job.job_id}")

        @hookimpl
        def djsandbox_metrics_logged(self, name: str, value: Any) -> None:
            self.heard.append(f"{name}={value}")

        @hookimpl
        def djsandbox_job_finished(self, job: Any) -> None:
            self.heard.append(f"finished {job.job_id} reused={job.reused}")

        @hookimpl
        def djsandbox_run_finished(self, status: str) -> None:
            self.heard.append(status)

    observer = Observer()
    lab.run(
        "evaluation_job_configs: [{hook: EvaluateDataHook, meta_name: m, extra_configs: {type: './parts.py:Give', value: 1}}]",
        plugins={"observer": observer},
    )
    assert observer.heard == [
        "run run_0001",
        "started anonymous/evaluation/0",
        "m=1",
        "finished anonymous/evaluation/0 reused=False",
        "done",
    ]


def test_an_observer_that_raises_does_not_end_the_run(lab: Lab) -> None:
    from djsandbox import hookimpl

    class Broken:
        @hookimpl
        def djsandbox_job_started(self, job: Any) -> None:
            raise RuntimeError("observer")

    result = lab.run(
        "evaluation_job_configs: [{hook: EvaluateDataHook, output: a, extra_configs: {type: './parts.py:Give', value: 1}}]",
        plugins={"broken": Broken()},
    )
    assert result.context == {"anonymous": [{"meta_name": "", "a": 1}]}


def test_an_op_of_a_recipe_is_addressed_by_its_name(lab: Lab) -> None:
    lab.edit_parts("class Fail(", SHOW + "class Fail(")
    lab.run(
        """
        execution_job_configs:
          - hook: ProcessDataHook
            output: ops
            local:
              dj_configs.process.named.low: 1
              dj_configs.process.bare.high: 2
            dj_configs: {process: [bare, {named: {low: 0, high: 3}}, {named: null}]}
            extra_configs: {type: "./parts.py:Show"}
        """
    )
    ops = [{"bare": {"high": 2}}, {"named": {"low": 1, "high": 3}}, {"named": {"low": 1}}]
    assert lab.context_infos()["anonymous"][0]["ops"] == ops


def test_an_op_that_a_recipe_does_not_have_cannot_be_set(lab: Lab) -> None:
    lab.write(
        """
        execution_job_configs:
          - hook: ProcessDataHook
            local: {dj_configs.process.other.low: 1}
            dj_configs: {process: [bare]}
            extra_configs: {type: "./parts.py:Write"}
        """
    )
    with pytest.raises(ConfigError, match=r"'dj_configs.process.other.low' cannot be set: there is no 'other'"):
        lab.run()


SHOW = """class Show(BaseDataExecutor):
    class Config(ComponentConfig):
        process: list[Any]

    def run(self):
        return self.config.process


"""
