"""A job that only reads with a component: the output paths of its config mean nothing."""

from typing import Any

import djsandbox
import pytest
from djsandbox.errors import ConfigError

Lab = Any

READ = '''
from djsandbox import BaseDataExecutor, ComponentConfig, Finding, JobHook, OutputPath, Use


class Rows(BaseDataExecutor):
    """Has rows, and writes them where it is run."""

    class Config(ComponentConfig):
        export_path: OutputPath | None = None
        kind: str = "text"

    def check(self):
        if not self.config.export_path:
            yield Finding(("export_path",), "the result goes nowhere")
        if self.config.kind != "text":
            yield Finding(("kind",), "no such kind")

    def run(self):
        raise AssertionError("only its rows are wanted")

    def sample_data(self, sample_ratio, sample_algo):
        return ["row"]


class ReadHook(JobHook):
    """Looks at rows."""

    uses = (Use("data_executors", "extra_configs", BaseDataExecutor, writes=False),)

    def run(self, components, inputs):
        return components[0].sample_data(1.0, "uniform")
'''


@pytest.fixture
def reading(lab: Lab) -> Lab:
    (lab.folder / "read.py").write_text(READ)
    return lab


def job(**config: Any) -> str:
    given = "".join(f", {key}: {value}" for key, value in config.items())
    return f'  - {{hook: "./read.py:ReadHook", output: rows, extra_configs: {{type: "./read.py:Rows"{given}}}}}\n'


def test_it_need_not_say_where_a_result_goes(reading: Lab) -> None:
    result = reading.run("probe_job_configs:\n" + job())
    assert result.context["anonymous"][0]["rows"] == ["row"]


def test_what_else_is_wrong_with_it_is_said(reading: Lab) -> None:
    reading.write("probe_job_configs:\n" + job(kind="image"))
    with pytest.raises(ConfigError, match="no such kind"):
        djsandbox.validate("sandbox.yaml")


def test_a_path_that_it_names_is_nobodys_output(reading: Lab) -> None:
    upper = (
        '  - {hook: GeneralDataExecutorHook, extra_configs: {type: "./parts.py:Upper", dataset_path: a.txt, export_path: b}}'
    )
    reading.write(f"probe_job_configs:\n{job(export_path='a.txt')}execution_job_configs:\n{upper}\n")
    with pytest.raises(ConfigError, match=r"'a.txt' does not exist, and no earlier job"):
        djsandbox.validate("sandbox.yaml")


def test_jobs_that_share_what_they_read_with_overwrite_nothing(reading: Lab) -> None:
    reading.write(f"probe_job_configs:\n{job(export_path='a.txt')}{job(export_path='a.txt')}{job(export_path='<unused>')}")
    assert djsandbox.validate("sandbox.yaml") == ()


def test_the_job_that_does_write_the_path_stays_the_one_that_it_comes_from(reading: Lab) -> None:
    write = (
        '  - {hook: GeneralDataExecutorHook, output: p, extra_configs: {type: "./parts.py:Write", export_path: out/a.txt}}\n'
    )
    upper = write.replace("Write", "Upper").replace("export_path: out/a.txt", "dataset_path: out/a.txt, export_path: out/b.txt")
    text = f"max_iter_num: 2\nexecution_job_configs:\n{write}{job(export_path='out/a.txt')}{upper}"
    result = reading.run(text)
    assert [entry.get("p") for entry in result.context["anonymous"]] == ["out/iter_2/a.txt", None, "out/iter_2/b.txt"]
    (finished,) = [event for event in reading.journal() if event["event"] == "job_finished" and event["job_id"].endswith("/1")][
        :1
    ]
    assert finished["placed"] == {}
