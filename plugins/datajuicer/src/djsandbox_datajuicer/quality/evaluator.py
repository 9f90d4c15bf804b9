"""The evaluator that asks Data-Juicer's quality classifier what it thinks of a dataset."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from djsandbox import CommandEvaluator, Finding, Task, is_decided_at_run
from djsandbox.errors import ComponentError

from djsandbox_datajuicer.quality.config import QualityConfig
from djsandbox_datajuicer.quality.models import OWN, is_pipeline
from djsandbox_datajuicer.quality.recipe import NAME

OTHERWISE = "data_evaluators: sklearn_text_classifier scores texts with neither"
_WORKER = Path(__file__).with_name("score_texts.py")
_SUFFIXES = (".jsonl", ".json", ".parquet")
_WATCHED = ("mean", "std", "num_samples", "num_without_text", "min", "q05", "q25", "median", "q75", "q95", "max")


class TextQualityEvaluator(CommandEvaluator):
    """Mean quality of a text dataset by Data-Juicer's GPT-3 quality classifier."""

    Config: ClassVar[type[QualityConfig]] = QualityConfig

    deterministic = True
    env = NAME
    workers = ("djsandbox_datajuicer.quality.score_texts",)

    def check(self) -> Iterable[Finding]:
        """Find datasets that Data-Juicer's tools cannot read, and models that are not there."""
        path = self.config.dataset_path
        if not is_decided_at_run(path) and not path.endswith(_SUFFIXES):
            fix = f"convert it: {', '.join(_SUFFIXES)} are read"
            yield Finding(("dataset_path",), f"the quality classifier cannot read '{os.path.basename(path)}'", fix)
        yield from self._doubts_of_own() if self.config.model in OWN else self._faults_of_users()

    def referenced_files(self) -> Iterable[str]:
        """The user's own model and tokenizer; Data-Juicer's do not change, and may only be downloaded by the job."""
        if self.config.model not in OWN:
            yield from sorted(str(file) for file in Path(self.config.model).rglob("*") if file.is_file())
            yield from filter(os.path.isfile, [self.config.tokenizer or ""])

    def tasks(self, eval_type: str, eval_obj: Any = None) -> Iterator[Task]:
        """One: the scoring of all texts."""
        if eval_type != "data":
            raise ComponentError(f"the quality classifier evaluates data, not a '{eval_type}'", fix="use EvaluateDataHook")
        config, environment = self.config, self.environment
        own = OWN.get(config.model)
        missing = own.missing() if own else []
        output = str(self.work_dir.absolute() / "scores.json")
        argv = [str(environment.python), str(_WORKER), "--dataset", os.path.abspath(config.dataset_path), "--output", output]
        argv += ["--text-key", config.text_key, "--model", config.model if own else os.path.abspath(config.model)]
        argv += ["--memory", config.driver_memory, "--cores", str(config.num_cores or "*")]
        tokenizer = own.tokenizer if own else config.tokenizer
        if tokenizer is not None:
            argv += ["--tokenizer", os.path.abspath(tokenizer) if os.path.exists(tokenizer) else tokenizer]
        for path in missing:
            argv += ["--download", OWN[config.model].link(path), str(path)]
        yield Task("score", tuple(argv), (output,), cwd=str(self.work_dir), env=environment.variables())

    def task_result(self, task: Task) -> dict[str, Any]:
        """The distribution of the scores, each P(the text is of high quality)."""
        found: dict[str, Any] = json.loads(Path(task.outputs[0]).read_text(encoding="utf-8"))
        return found

    def job_result(self, results: list[dict[str, Any]]) -> float:
        """The mean score; the distribution goes to the watcher as `<meta_name>.distribution`."""
        found = results[0]
        if found["num_without_text"]:
            self.logger.warning("%d rows have no text under '%s'", found["num_without_text"], self.config.text_key)
        name = ".".join(part for part in (self.context.meta_name, "distribution") if part)
        self.watcher.watch({key: found[key] for key in _WATCHED}, name)
        rows = [[f"{low:.2f} to {low + found['width']:.2f}", count] for low, count in found["histogram"]]
        self.watcher.watch_table(f"Quality of {os.path.basename(self.config.dataset_path)}", ["score", "texts"], rows)
        return float(found["mean"])

    def _doubts_of_own(self) -> Iterator[Finding]:
        own = OWN[self.config.model]
        if self.config.tokenizer is not None:
            used = own.tokenizer or "Spark's own"
            yield Finding(("tokenizer",), f"the model '{own.name}' has a tokenizer, {used}", "leave it out")
        for missing in own.missing():
            message = f"the model {missing} is not there: it will be downloaded from {own.link(missing)}"
            yield Finding(
                ("model",), message, f"without a network, put it there or name a model of your own; {OTHERWISE}", "warning"
            )

    def _faults_of_users(self) -> Iterator[Finding]:
        model, tokenizer = self.config.model, self.config.tokenizer
        if not is_decided_at_run(model) and not is_pipeline(Path(model)):
            what = "is no model of Data-Juicer's training tool" if os.path.exists(model) else "does not exist"
            yield Finding(("model",), f"the model '{model}' {what}", f"one of {', '.join(OWN)}, or the folder of a trained one")
        published = {own.tokenizer for own in OWN.values()}
        if (
            tokenizer is not None
            and not is_decided_at_run(tokenizer)
            and tokenizer not in published
            and not os.path.isfile(tokenizer)
        ):
            yield Finding(("tokenizer",), f"the tokenizer '{tokenizer}' does not exist", "the file of a SentencePiece model")
