"""Ways in which an earlier result could be taken over wrongly, each closed."""

from pathlib import Path
from typing import Any

import djsandbox
import pytest
from djsandbox import ComponentConfig, InputPath
from djsandbox.errors import JobFailed, SandboxError

Lab = Any

RANDOM = '''
import os

from djsandbox import BaseDataExecutor, BaseEvaluator, BaseProbe, ComponentConfig, InputPath, OutputPath, ReferencePath


class Random(BaseDataExecutor):
    """Writes something else each time."""

    class Config(ComponentConfig):
        export_path: OutputPath

    def run(self):
        with open(self.config.export_path, "wb") as file:
            file.write(os.urandom(8))
        return self.config.export_path


class Read(BaseProbe):
    """Reads a file that its config only names, or holds in a tuple."""

    deterministic = True

    class Config(ComponentConfig):
        reference: ReferencePath | None = None
        text: str | None = None
        pair: tuple[str, InputPath] | None = None

    def run(self):
        config = self.config
        path = config.reference or config.text or config.pair[1]
        with open(path, "rb") as file:
            return file.read().hex()


class Lazy(BaseDataExecutor):
    """Writes only what is not there yet."""

    deterministic = True

    class Config(ComponentConfig):
        export_path: OutputPath

    def run(self):
        if not os.path.exists(self.config.export_path):
            open(self.config.export_path, "w").close()
        return "done"


class Ask(BaseProbe):
    """Asks the watcher for what an earlier job measured."""

    deterministic = True

    def run(self):
        return self.watcher.query("measured")


class Around(BaseDataExecutor):
    """Exports into the folder that holds the work_dir."""

    deterministic = True

    class Config(ComponentConfig):
        export_path: OutputPath

    def run(self):
        open(self.config.export_path + "/result.txt", "w").close()
        return self.config.export_path
'''


@pytest.fixture
def more(lab: Lab) -> Lab:
    (lab.folder / "more.py").write_text(RANDOM)
    return lab


@pytest.mark.parametrize("field", ["reference", "text", "pair.1"])
def test_what_an_executed_again_job_wrote_is_read_again_however_the_reader_takes_it(more: Lab, field: str) -> None:
    text = f"""
        execution_job_configs:
          - hook: GeneralDataExecutorHook
            output: path
            reuse: false
            extra_configs: {{type: "./more.py:Random", export_path: out/random}}
          - hook: GeneralProbeHook
            input: {{extra_configs.{field}: -1.path}}
            output: content
            extra_configs: {{type: "./more.py:Read", pair: {"[x, y]" if field == "pair.1" else "null"}}}
    """
    more.run(text)
    for _ in range(2):
        result = more.run(text, resume=True)
        assert result.executed == ("anonymous/execution/0", "anonymous/execution/1")
        assert result.context["anonymous"][1]["content"] == Path("out/random").read_bytes().hex()


def test_a_job_that_is_not_deterministic_resumed_leaves_its_readers_alone(more: Lab) -> None:
    text = """
        execution_job_configs:
          - {hook: GeneralDataExecutorHook, output: path, extra_configs: {type: "./more.py:Random", export_path: out/random}}
          - {hook: GeneralProbeHook, input: {extra_configs.reference: -1.path}, extra_configs: {type: "./more.py:Read"}}
    """
    more.run(text)
    assert more.run(text, resume=True).executed == ()
    assert more.run(text, resume=True).executed == ()
    Path("out/random").unlink()
    assert len(more.run(text, resume=True).executed) == 2


def test_a_typed_path_in_a_set_is_refused_when_the_class_is_made() -> None:
    with pytest.raises(TypeError, match="a set cannot hold typed paths; use a list"):

        class Config(ComponentConfig):
            paths: set[InputPath]


def test_another_answer_of_the_watcher_asks_again(more: Lab) -> None:
    text = """
        evaluation_job_configs:
          - {hook: EvaluateDataHook, meta_name: measured, extra_configs: {type: "./parts.py:Give", value: {x: VALUE}}}
          - {hook: GeneralProbeHook, output: seen, extra_configs: {type: "./more.py:Ask"}}
    """
    more.run(text.replace("VALUE", "1"))
    assert more.run(text.replace("VALUE", "1"), resume=True).executed == ()
    result = more.run(text.replace("VALUE", "2"), resume=True)
    assert result.context["anonymous"][1] == {"meta_name": "", "seen": {"x": 2}}


def test_two_outputs_that_differ_only_in_an_iteration_folder_are_two(lab: Lab) -> None:
    text = """
        execution_job_configs:
          - {hook: GeneralDataExecutorHook, extra_configs: {type: "./parts.py:Write", export_path: p/iter_1/d.txt, text: one}}
          - {hook: GeneralDataExecutorHook, extra_configs: {type: "./parts.py:Write", export_path: p/iter_2/d.txt, text: two}}
          - hook: GeneralDataExecutorHook
            extra_configs: {type: "./parts.py:Upper", dataset_path: p/iter_1/d.txt, export_path: out.txt}
    """
    lab.write(text)
    assert djsandbox.validate("sandbox.yaml") == ()
    lab.run()
    assert Path("out.txt").read_text() == "ONE"


def test_another_suffix_of_an_output_may_mean_another_format(lab: Lab) -> None:
    text = """
        execution_job_configs:
          - {hook: GeneralDataExecutorHook, extra_configs: {type: "./parts.py:Write", export_path: out/a.txt}}
    """
    lab.run(text)
    assert lab.run(text.replace("a.txt", "b.txt"), resume=True).executed == ()
    assert lab.run(text.replace("a.txt", "a.json"), resume=True).executed == ("anonymous/execution/0",)


def test_an_output_without_a_folder_is_renamed_in_the_context_too(lab: Lab) -> None:
    text = """
        execution_job_configs:
          - {hook: GeneralDataExecutorHook, output: p, extra_configs: {type: "./parts.py:Write", export_path: a.txt}}
    """
    lab.run(text)
    result = lab.run(text.replace("a.txt", "b.txt"), resume=True)
    assert result.executed == ()
    assert result.context["anonymous"] == [{"meta_name": "", "p": "b.txt"}]


def test_an_output_that_an_earlier_run_had_written_is_missed_when_it_is_gone(more: Lab) -> None:
    text = """
        execution_job_configs:
          - {hook: GeneralDataExecutorHook, extra_configs: {type: "./more.py:Lazy", export_path: out/lazy.txt}}
    """
    more.run(text)
    more.run(text)
    Path("out/lazy.txt").unlink()
    more.run(text, resume=True)
    assert Path("out/lazy.txt").exists()


@pytest.mark.parametrize("place", [".", "outputs", "outputs/hello_world"])
def test_a_work_dir_inside_an_export_folder_does_not_spoil_reuse(more: Lab, place: str) -> None:
    Path("outputs/hello_world").mkdir(parents=True)
    text = f"""
        execution_job_configs:
          - {{hook: GeneralDataExecutorHook, extra_configs: {{type: "./more.py:Around", export_path: "{place}"}}}}
    """
    more.run(text)
    assert more.run(text, resume=True).executed == ()
    Path(place, "result.txt").unlink()
    assert more.run(text, resume=True).executed == ("anonymous/execution/0",)


def test_a_text_that_happens_to_be_a_path_of_the_machine_is_not_looked_into(lab: Lab) -> None:
    (lab.folder / "elsewhere").mkdir()
    text = """
        evaluation_job_configs:
          - {hook: EvaluateDataHook, output: a, extra_configs: {type: "./parts.py:Give", value: ./elsewhere}}
    """
    lab.run(text)
    (lab.folder / "elsewhere" / "new.txt").touch()
    assert lab.run(text, resume=True).executed == ()


def test_an_input_that_something_else_changes_during_the_run_fails_the_job_that_reads_it(more: Lab) -> None:
    text = """
        execution_job_configs:
          - {hook: GeneralDataExecutorHook, output: a, extra_configs: {type: "./parts.py:Write", export_path: out/a.txt}}
          - {hook: GeneralDataExecutorHook, extra_configs: {type: "./meddler.py:Meddler"}}
          - hook: GeneralDataExecutorHook
            extra_configs: {type: "./parts.py:Upper", dataset_path: out/a.txt, export_path: out/b.txt}
    """
    (more.folder / "meddler.py").write_text(
        "from djsandbox import BaseDataExecutor\n\n\nclass Meddler(BaseDataExecutor):\n"
        "    def run(self):\n        with open('out/a.txt', 'w') as file:\n            file.write('of another run')\n"
    )
    with pytest.raises(JobFailed, match=r"'out/a.txt' was changed since anonymous/execution/0 wrote it in this run"):
        more.run(text)


def test_a_job_may_overwrite_what_an_earlier_one_wrote(lab: Lab) -> None:
    lab.run("""
        execution_job_configs:
          - {hook: GeneralDataExecutorHook, extra_configs: {type: "./parts.py:Write", export_path: out/a.txt, text: one}}
          - {hook: GeneralDataExecutorHook, extra_configs: {type: "./parts.py:Write", export_path: out/a.txt, text: two}}
          - hook: GeneralDataExecutorHook
            extra_configs: {type: "./parts.py:Upper", dataset_path: out/a.txt, export_path: out/b.txt}
    """)
    assert Path("out/b.txt").read_text() == "TWO"


@pytest.mark.parametrize("holder", ["{text: out/random}", "{pair: [out/random, x.txt]}"])
def test_a_text_that_spells_an_earlier_output_reads_from_it_though_it_is_not_typed_as_a_path(more: Lab, holder: str) -> None:
    (more.folder / "x.txt").touch()
    part = holder[1:-1]
    text = f"""
        execution_job_configs:
          - hook: GeneralDataExecutorHook
            reuse: false
            extra_configs: {{type: "./more.py:Random", export_path: out/random}}
          - hook: GeneralProbeHook
            extra_configs: {{type: "./more.py:Read", {part}}}
    """
    more.run(text)
    assert len(more.run(text, resume=True).executed) == 2
    assert [sorted(job.planned.reads) for job in djsandbox.plan("sandbox.yaml").jobs] == [[], ["anonymous/execution/0"]]


def test_a_result_made_while_an_input_changed_is_never_reused(more: Lab) -> None:
    (more.folder / "in.txt").write_text("one")
    (more.folder / "slow.py").write_text(
        "from djsandbox import BaseProbe, ComponentConfig, InputPath\n\n\nclass Slow(BaseProbe):\n    deterministic = True\n\n"
        "    class Config(ComponentConfig):\n        dataset_path: InputPath\n\n    def run(self):\n"
        "        with open(self.config.dataset_path, 'w') as file:\n            file.write('two')\n        return 'two'\n"
    )
    text = """
        probe_job_configs:
          - {hook: GeneralProbeHook, extra_configs: {type: "./slow.py:Slow", dataset_path: in.txt}}
    """
    more.run(text)
    (more.folder / "in.txt").write_text("one")
    assert more.run(text, resume=True).executed == ("anonymous/probe/0",)


def test_what_a_job_asks_after_recording_something_of_the_same_name_counts_too(more: Lab) -> None:
    before = 'return self.watcher.query("measured")'
    after = 'self.watcher.watch({"mine": 1}, "measured")\n        ' + before
    more_code = (more.folder / "more.py").read_text().replace(before, after)
    (more.folder / "more.py").write_text(more_code)
    text = """
        evaluation_job_configs:
          - {hook: EvaluateDataHook, meta_name: measured, extra_configs: {type: "./parts.py:Give", value: {x: VALUE}}}
          - {hook: GeneralProbeHook, output: seen, extra_configs: {type: "./more.py:Ask"}}
    """
    more.run(text.replace("VALUE", "1"))
    assert more.run(text.replace("VALUE", "1"), resume=True).executed == ()
    result = more.run(text.replace("VALUE", "2"), resume=True)
    assert result.context["anonymous"][1]["seen"] == {"x": 2, "mine": 1}


def test_a_config_that_an_earlier_job_will_write_is_left_to_the_run(lab: Lab) -> None:
    text = """
        execution_job_configs:
          - hook: GeneralDataExecutorHook
            extra_configs: {type: "./parts.py:Write", export_path: out/give.yaml, text: "value: 7"}
          - hook: EvaluateDataHook
            output: a
            local: {extra_configs.type: "./parts.py:Give"}
            extra_configs: ./out/give.yaml
    """
    lab.write(text)
    assert djsandbox.validate("sandbox.yaml") == ()
    assert lab.run().context["anonymous"][1]["a"] == 7


def test_an_edited_worker_script_makes_the_job_run_again(lab: Lab) -> None:
    lab.edit_parts("class Upper(BaseDataExecutor):", 'class Upper(BaseDataExecutor):\n    workers = ("worker.py",)\n')
    (lab.folder / "worker.py").write_text("import helper\n")
    (lab.folder / "helper.py").write_text("NUMBER = 1\n")
    lab.run(lab.CHAIN)
    lab.calls()
    lab.run(resume=True)
    assert lab.calls() == []
    (lab.folder / "helper.py").write_text("NUMBER = 2\n")
    lab.run(resume=True)
    assert lab.calls() == ["upper"]


def test_a_worker_that_is_not_there_is_named(lab: Lab) -> None:
    lab.edit_parts("class Upper(BaseDataExecutor):", 'class Upper(BaseDataExecutor):\n    workers = ("wroker.py",)\n')
    with pytest.raises(SandboxError, match=r"names the worker 'wroker.py', which cannot be found"):
        lab.run(lab.CHAIN)
