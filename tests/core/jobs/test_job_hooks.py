"""Every job hook of the guide, bound to a component of the user's own."""

import json
from pathlib import Path
from typing import Any

import djsandbox
import pytest
import yaml
from djsandbox import hookimpl
from djsandbox.engine.run import RunResult
from djsandbox.errors import ConfigError, JobFailed

PARTS = """
import json
from pathlib import Path

from djsandbox import (
    BaseDataExecutor, BaseDataPoolManipulator, BaseEvaluator, BaseModelExecutor, BaseProbe, BaseRecipeRefiner,
    ComponentConfig, InputPath, OutputPath,
)


class Analyzer(BaseDataExecutor):
    class Config(ComponentConfig):
        dataset_path: InputPath
        process: list[dict] = []

    def run(self):
        lengths = [len(line) for line in Path(self.config.dataset_path).read_text().splitlines()]
        self.watcher.watch({"length": {"mean": sum(lengths) / len(lengths), "max": max(lengths)}})
        return self.config.dataset_path


class Refiner(BaseRecipeRefiner):
    class Config(ComponentConfig):
        path: OutputPath

    def run(self, recipe, feedback):
        recipe = {**recipe, "process": [{"length_filter": {"max": feedback["length"]["mean"]}}]}
        Path(self.config.path).write_text(json.dumps(recipe))
        return self.config.path

    def planned_outputs(self):
        return self.config.path


class Executor(BaseDataExecutor):
    class Config(ComponentConfig):
        dataset_path: InputPath
        export_path: OutputPath = "out/processed.txt"
        process: list[dict] = []

    def run(self):
        limit = self.config.process[0]["length_filter"]["max"]
        kept = [line for line in Path(self.config.dataset_path).read_text().splitlines() if len(line) <= limit]
        Path(self.config.export_path).write_text("\\n".join(kept))
        return self.config.export_path

    def sample_data(self, sample_ratio, sample_algo):
        rows = Path(self.config.dataset_path).read_text().splitlines()
        return [{"text": row, "by": sample_algo} for row in rows[: int(len(rows) * sample_ratio)]]


class Trainer(BaseModelExecutor):
    class Config(ComponentConfig):
        epochs: int = 2

    async def _run(self, run_type, run_obj=None, **kwargs):
        for epoch in range(1, self.config.epochs + 1):
            print(f"epoch {epoch}: loss {1 / epoch}")
        return f"trained as {run_type}"

    def _watch_run(self, line, **kwargs):
        if line.startswith("epoch"):
            epoch, loss = line.removeprefix("epoch ").split(": loss ")
            self.watcher.watch(float(loss), "loss", step=int(epoch))


class InferEvaluator(BaseModelExecutor):
    async def _run(self, run_type, run_obj=None, **kwargs):
        assert run_type == "infer_on_data"
        return [{"hardness": len(row["text"]), "by": row["by"]} for row in run_obj]


class InferWriter(BaseModelExecutor):
    async def _run(self, run_type, run_obj=None, **kwargs):
        (self.work_dir / "own.txt").write_text(str(len(run_obj)))
        return str(self.work_dir / "own.txt")


class InferTooLittle(BaseModelExecutor):
    async def _run(self, run_type, run_obj=None, **kwargs):
        return [{"hardness": 1}]


class Evaluator(BaseEvaluator):
    def run(self, eval_type, eval_obj=None, **kwargs):
        return {"of": eval_type, "score": 0.5}


class Probe(BaseProbe):
    def run(self):
        return "probed"


class Manipulator(BaseDataPoolManipulator):
    def run(self):
        return ["pool"]
"""


REFINED = {"path": "out/r.json"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts.py").write_text(PARTS)
    (tmp_path / "rows.txt").write_text("a\nbbbbb\nccc\n")
    return tmp_path


def run(**job_lists: Any) -> RunResult:
    Path("sandbox.yaml").write_text(yaml.safe_dump({f"{stage}_job_configs": jobs for stage, jobs in job_lists.items()}))
    return djsandbox.run("sandbox.yaml")


def job(hook: str, component: str, **more: Any) -> dict[str, Any]:
    extra = {"type": f"./parts.py:{component}", **more.pop("extra_configs", {})}
    return {"hook": hook, "meta_name": "m", "output": "result", "extra_configs": extra, **more}


@pytest.mark.parametrize(
    ("hook", "component", "result"),
    [
        ("GeneralProbeHook", "Probe", "probed"),
        ("DataPoolManipulationHook", "Manipulator", ["pool"]),
        ("TrainModelHook", "Trainer", "trained as ./parts.py:Trainer"),
        ("InferModelHook", "Trainer", "trained as ./parts.py:Trainer"),
        ("EvaluateDataHook", "Evaluator", {"of": "data", "score": 0.5}),
        ("EvaluateModelHook", "Evaluator", {"of": "model", "score": 0.5}),
    ],
)
@pytest.mark.parametrize("stage", ["probe", "refine_recipe", "execution", "evaluation"])
def test_a_hook_may_stand_in_any_stage(folder: Path, hook: str, component: str, result: Any, stage: str) -> None:
    done = run(**{stage: [job(hook, component)]})
    assert done.context["anonymous"] == [{"meta_name": "m", "result": result}]


def test_probe_refine_and_process_hand_on_the_recipe(folder: Path) -> None:
    recipe = {"dataset_path": "rows.txt", "process": []}
    done = run(
        probe=[job("ProbeViaAnalyzerHook", "Analyzer", dj_configs=recipe)],
        refine_recipe=[
            job(
                "RefineRecipeViaKSigmaHook", "Refiner", dj_configs=recipe, extra_configs={"path": "out/r.json"}, output="recipe"
            )
        ],
        execution=[job("ProcessDataHook", "Executor", input={"dj_configs": "-1.recipe"}, dj_configs="<the_refined_recipe>")],
    )
    assert json.loads(Path("out/r.json").read_text())["process"] == [{"length_filter": {"max": 3.0}}]
    assert Path("out/processed.txt").read_text() == "a\nccc"
    assert done.context["anonymous"][-1] == {"meta_name": "m", "result": "out/processed.txt"}


def test_a_recipe_that_a_refiner_will_write_is_known_to_the_plan_by_its_path_too(folder: Path) -> None:
    recipe = {"dataset_path": "rows.txt", "proces": []}
    with pytest.raises(ConfigError, match="unknown key 'proces'"):
        run(
            probe=[job("ProbeViaAnalyzerHook", "Analyzer", dj_configs={"dataset_path": "rows.txt"})],
            refine_recipe=[job("RefineRecipeViaModelFeedbackHook", "Refiner", dj_configs=recipe, extra_configs=REFINED)],
            execution=[job("ProcessDataHook", "Executor", dj_configs="./out/r.json")],
        )


def test_other_feedback_refines_again_on_resume(folder: Path) -> None:
    recipe = {"dataset_path": "rows.txt", "process": []}
    lists = {
        "probe": [job("ProbeViaAnalyzerHook", "Analyzer", dj_configs=recipe)],
        "refine_recipe": [
            job(
                "RefineRecipeViaKSigmaHook", "Refiner", dj_configs=recipe, extra_configs={"path": "out/r.json"}, output="recipe"
            )
        ],
    }
    run(**lists)
    assert djsandbox.run("sandbox.yaml", resume=True).executed == ()
    (folder / "rows.txt").write_text("a\nbbbbbbbbbbb\n")
    assert djsandbox.run("sandbox.yaml", resume=True).executed == ("anonymous/probe/0", "anonymous/refine_recipe/0")
    assert json.loads(Path("out/r.json").read_text())["process"] == [{"length_filter": {"max": 6.0}}]


def test_a_trainers_log_lines_become_metrics(folder: Path) -> None:
    done = run(execution=[job("TrainModelHook", "Trainer", extra_configs={"epochs": 3})])
    watcher = djsandbox.SandboxWatcher(done.work_dir)
    assert watcher.history("loss") == [(1, 1.0), (2, 0.5), (3, 1 / 3)]
    assert watcher.query("loss") == 1 / 3


def test_a_trainer_that_fails_ends_its_watching_too(folder: Path) -> None:
    text = (
        (folder / "parts.py")
        .read_text()
        .replace('return f"trained', 'raise RuntimeError("no memory")\n        return f"trained')
    )
    (folder / "parts.py").write_text(text)
    with pytest.raises(JobFailed, match="no memory"):
        run(execution=[job("TrainModelHook", "Trainer")])
    assert djsandbox.SandboxWatcher("outputs/hello_world").query("loss") == 0.5


def probe_by_inference(folder: Path, component: str, ratio: float = 0.5) -> RunResult:
    pytest.importorskip("djsandbox_datajuicer", reason="the hook's data executor is the default one, which this plugin brings")

    class Supplier:
        """Gives the executor of this file in place of Data-Juicer's, which is the default."""

        @hookimpl
        def djsandbox_make_executor(self, factory: str, config: Any) -> Any:
            if factory != "data_executors":
                return None
            from djsandbox.plugins.resolve import resolve

            found = resolve("data_executors", "./parts.py:Executor", base=object, folder=folder).component_class
            return found(found.Config(dataset_path=config.dataset_path))

    (folder / "rows.jsonl").write_text("a\nbbbbb\nccc\nd\n")
    recipe = {
        "dataset_path": "rows.jsonl", "export_path": "out/x.jsonl", "process": [],
        "data_probe_ratio": ratio, "data_probe_algo": "uniform",
    }  # fmt: skip
    jobs = [job("ProbeViaModelInferHook", component, dj_configs=recipe)]
    Path("sandbox.yaml").write_text(yaml.safe_dump({"probe_job_configs": jobs}))
    return djsandbox.run("sandbox.yaml", plugins={"supplier": Supplier()})


def test_model_inference_records_its_results_beside_the_samples_and_watches_their_distribution(folder: Path) -> None:
    done = probe_by_inference(folder, "InferEvaluator")
    written = Path(done.context["anonymous"][0]["result"])
    assert Path(done.work_dir) in written.parents
    assert [json.loads(line) for line in written.read_text().splitlines()] == [
        {"text": "a", "by": "uniform", "model_feedback": {"hardness": 1, "by": "uniform"}},
        {"text": "bbbbb", "by": "uniform", "model_feedback": {"hardness": 5, "by": "uniform"}},
    ]
    seen = djsandbox.SandboxWatcher(done.work_dir).query("m")
    assert set(seen) == {"hardness"}
    assert (seen["hardness"]["mean"], seen["hardness"]["50%"], seen["hardness"]["max"]) == (3, 3, 5)


def test_a_path_that_model_inference_returns_is_its_output(folder: Path) -> None:
    done = probe_by_inference(folder, "InferWriter")
    written = Path(done.context["anonymous"][0]["result"])
    assert written.name == "own.txt"
    assert written.read_text() == "2"
    assert djsandbox.SandboxWatcher(done.work_dir).query("m") is None


def test_results_that_are_not_one_a_sample_are_an_error(folder: Path) -> None:
    with pytest.raises(JobFailed, match="returned 1 results for 4 samples"):
        probe_by_inference(folder, "InferTooLittle", ratio=1.0)


def test_a_sample_without_rows_is_an_error_that_says_what_to_change(folder: Path) -> None:
    with pytest.raises(JobFailed, match="data_probe_ratio"):
        probe_by_inference(folder, "InferEvaluator", ratio=0.1)


def test_feedback_that_was_there_before_needs_no_job_that_made_it(folder: Path) -> None:
    (folder / "parts.py").write_text(PARTS.replace('feedback["length"]["mean"]', "5"))
    recipe = {"dataset_path": "rows.txt", "process": []}
    done = run(
        refine_recipe=[job("RefineRecipeViaModelFeedbackHook", "Refiner", dj_configs=recipe, extra_configs=REFINED)],
    )
    assert done.context["anonymous"] == [{"meta_name": "m", "result": "out/r.json"}]
