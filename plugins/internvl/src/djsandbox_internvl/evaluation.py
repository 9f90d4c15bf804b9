"""The model evaluator for COCO captions."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from djsandbox import CommandEvaluator, Finding, Task, unique_names
from djsandbox.errors import ComponentError

from djsandbox_internvl import recipe
from djsandbox_internvl.caption_scores import checked, scores_in
from djsandbox_internvl.evaluate_checkpoint import SCORES
from djsandbox_internvl.evaluation_config import TRUTH, EvaluationConfig, findings, relative_checkpoint
from djsandbox_internvl.surroundings import chat_folder, home_change, known_chat, variables_for


class InternVLCOCOCaptionEvaluator(CommandEvaluator):
    """Bleu, METEOR, ROUGE-L and CIDEr of InternVL checkpoints on COCO captions."""

    Config = EvaluationConfig
    env = recipe.NAME
    workers = ("djsandbox_internvl.evaluate_checkpoint", "djsandbox_internvl.score_captions")

    def env_recipe(self) -> str:
        """A small environment where captions are there already, else InternVL's own."""
        return recipe.SCORING if self.config.results_paths else recipe.NAME

    def recipe_changes(self) -> dict[str, Any]:
        """The user's own checkout, where there is one and it is needed."""
        return {} if self.config.results_paths else home_change(self.config.internvl_home)

    def check(self) -> Iterable[Finding]:
        """GPUs, checkpoints, and the files by which captions are scored."""
        return findings(self.config)

    def referenced_files(self) -> Iterable[str]:
        """The ground truth, and the list of test images, of the user's checkout."""
        chat = known_chat(self.config, self.config.internvl_home)
        if chat is not None:
            names = (TRUTH,) if self.config.results_paths else (TRUTH, TRUTH.replace("_gt", ""))
            yield from (str(chat / name) for name in names if (chat / name).is_file())

    def tasks(self, eval_type: str, eval_obj: Any = None) -> Iterator[Task]:
        """One evaluation a checkpoint, or a file of captions, in their order."""
        paths = self.config.results_paths or self.config.ckpt_paths
        names = unique_names(paths, keep_suffix=not self.config.results_paths)
        place = Path(self.config.export_path or self.work_dir).absolute()
        make = self._scoring if self.config.results_paths else self._evaluation
        for path, name in zip(paths, names, strict=True):
            yield make(path, name, place / name)

    def task_result(self, task: Task) -> dict[str, float]:
        """The scores of a checkpoint, and their mean `avg_score`."""
        try:
            scores = checked(json.loads(Path(task.outputs[0]).read_text(encoding="utf-8")))
        except ValueError as error:
            raise ComponentError(f"{task.outputs[0]}: {error}", fix="see the log of the task") from error
        self.watcher.watch({task.name: scores})
        return scores

    def _watch_run(self, line: str, **kwargs: Any) -> None:
        """`Bleu_4: 0.385` is a metric before the evaluation is over."""
        if "dict_items" not in line and (scores := scores_in(line)):
            self.watcher.watch({self.context.task: scores})

    def _evaluation(self, checkpoint: str, name: str, folder: Path) -> Task:
        environment = self.environment
        chat = chat_folder(environment)
        argv = [sys.executable, "-P", "-m", self.workers[0]]
        argv += [
            "--checkpoint",
            relative_checkpoint(checkpoint, chat),
            "--folder",
            str(folder),
            "--python",
            str(environment.python),
        ]
        if self.config.score_captions:
            argv += ["--score-by", str(Path(self.config.annotation_path or chat / TRUTH).absolute())]
        variables = variables_for(environment, chat) | {"GPUS": str(self.config.gpus)}
        outputs = (str(folder / SCORES),)
        return Task(name, (*argv, "--", *self.config.options()), outputs, cwd=str(chat), env=variables, gpus=self.config.gpus)

    def _scoring(self, captions: str, name: str, folder: Path) -> Task:
        chat = known_chat(self.config, self.config.internvl_home)
        truth = self.config.annotation_path or (str(chat / TRUTH) if chat is not None else None)
        if truth is None:
            raise ComponentError("nothing says by what the captions are scored", fix="set annotation_path")
        script = Path(__file__).with_name("score_captions.py")
        output = str(folder / SCORES)
        argv = (str(self.environment.python), str(script), str(Path(captions).absolute()), str(Path(truth).absolute()), output)
        return Task(name, argv, (output,), env=self.environment.variables())
