"""The model executor that fine-tunes InternVL on COCO captions."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from djsandbox import DECIDED_AT_RUN, CommandExecutor, Finding, Task, unique_names
from djsandbox.errors import ComponentError

from djsandbox_internvl import meta_files, recipe
from djsandbox_internvl.conv_styles import style_of
from djsandbox_internvl.finetuning import arguments_of
from djsandbox_internvl.log_lines import training_metrics
from djsandbox_internvl.open_paths import is_open
from djsandbox_internvl.surroundings import chat_folder, home_change, known_chat, variables_for
from djsandbox_internvl.trained_models import STATE, SUMMARY, is_lost, model_problem, training_result
from djsandbox_internvl.training_config import TrainingConfig, findings

_TOLD = ("PATH", "PYTHONPATH", "MASTER_PORT", "LAUNCHER", "TF_CPP_MIN_LOG_LEVEL")


class InternVLCOCOCaptionTrainer(CommandExecutor):
    """Fine-tunes LoRA models of InternVL on COCO captions."""

    Config = TrainingConfig
    env = recipe.NAME
    workers = ("djsandbox_internvl.begin_anew",)

    _num_logged = 0

    def recipe_changes(self) -> dict[str, Any]:
        """The user's own checkout, where there is one."""
        return home_change(self.config.internvl_home)

    def check(self) -> Iterable[Finding]:
        """GPUs, batch sizes, the conversation style, and all that the meta files point to."""
        return findings(self.config)

    def key_fields(self) -> dict[str, Any]:
        """The config, with the number of GPUs where it follows from the machine: not the batch, but its order depends on it."""
        return {**super().key_fields(), "num_gpus": self.config.gpus}

    def referenced_files(self) -> Iterable[str]:
        """The rows that the meta files name, as far as those are there."""
        chat = known_chat(self.config, self.config.internvl_home)
        for path in self.config.meta_paths:
            try:
                sets = meta_files.data_sets(path, chat) if chat is not None and not is_open(path) else []
            except (OSError, ValueError):  # check and the run say so
                continue
            yield from (str(one.annotation) for one in sets if one.annotation.is_file())

    def intermediate_metrics(self) -> tuple[str, ...]:
        """Loss and learning rate of each training, once every `logging_steps` steps."""
        return ("*.loss", "*.lr")

    def planned_outputs(self) -> Any:
        """The folders of the models, where the data pools are known."""
        return DECIDED_AT_RUN if any(map(is_open, self.config.meta_paths)) else self._folders()

    def tasks(self, run_type: str, run_obj: Any = None) -> Iterator[Task]:
        """One training a data pool, in the order of `meta_paths`."""
        chat = chat_folder(self.environment)
        wrong = [problem for path in self.config.meta_paths for problem in meta_files.problems(path, chat)]
        if wrong:
            raise ComponentError("; ".join(wrong), fix="mend the meta files: root and annotation are relative to internvl_chat")
        for at, (meta_path, folder) in enumerate(zip(self.config.meta_paths, self._folders(), strict=True)):
            argv = self._argv(at, meta_path, folder)
            variables = variables_for(self.environment, chat) | {"TF_CPP_MIN_LOG_LEVEL": "3", "LAUNCHER": "pytorch"}
            if self.config.master_port is not None:
                variables["MASTER_PORT"] = str(self.config.master_port + at)
            self._write_script(Path(folder).name, argv, chat, variables)
            yield Task(
                Path(folder).name,
                (sys.executable, "-P", "-m", self.workers[0], folder, "--", *argv),
                (folder, f"{folder}/{STATE}", f"{folder}/{SUMMARY}"),
                cwd=str(chat),
                env=variables,
                gpus=self.config.gpus,
            )

    def task_result(self, task: Task) -> str:
        """The folder of the model, when it is whole; what became of the loss goes to the watcher."""
        folder = Path(task.outputs[0])
        problem = model_problem(folder)
        if problem is not None:
            raise ComponentError(f"the training left no model: {problem}", fix="see its log")
        result = training_result(folder)
        self.watcher.watch({task.name: result})
        if is_lost(result):
            message = f"the loss of '{task.name}' ended as {result['final_loss']}: the model has learned nothing"
            if self.config.on_nan_loss == "fail":
                raise ComponentError(message, fix="lower learning_rate, or look for broken samples in the data pool")
            self.logger.warning("%s", message)
        return str(folder)

    def _watch_run(self, line: str, **kwargs: Any) -> None:
        """`{'loss': 2.055, ...}` becomes `<meta_name>.<task>.loss`, `.lr`, `.epoch` and what else there is."""
        metrics = training_metrics(line)
        if metrics is None or "loss" not in metrics:
            return
        self._num_logged += 1
        self.watcher.watch({self.context.task: metrics}, step=self._num_logged * self.config.logging_steps)

    def _folders(self) -> list[str]:
        """The folder of each model, absolute, because InternVL runs in a folder of its own."""
        model = Path(self.config.model_name_or_path).name
        work_dir = Path(self.config.work_dir).absolute()
        return [str(work_dir / f"{name}_{model}") for name in unique_names(self.config.meta_paths)]

    def _argv(self, at: int, meta_path: str, folder: str) -> tuple[str, ...]:
        config = self.config
        model = str(Path(config.model_name_or_path).absolute())
        port: tuple[str, ...] = ("--standalone",)
        if config.master_port is not None:
            port = ("--node_rank=0", "--master_addr=127.0.0.1", f"--master_port={config.master_port + at}")
        return (
            str(self.environment.path / "bin" / "torchrun"),
            "--nnodes=1",
            f"--nproc_per_node={config.gpus}",
            *port,
            "internvl/train/internvl_chat_finetune.py",
            *("--model_name_or_path", model),
            *("--conv_style", style_of(config.conv_style_or_scale, config.model_name_or_path)),
            *("--output_dir", folder),
            *("--meta_path", str(Path(meta_path).absolute())),
            *("--overwrite_output_dir", "True", "--do_train", "True", "--evaluation_strategy", "no"),
            *("--per_device_train_batch_size", str(config.batch_size_per_device)),
            *("--gradient_accumulation_steps", str(config.accumulation)),
            *arguments_of(config),
        )

    def _write_script(self, name: str, argv: tuple[str, ...], chat: Path, variables: dict[str, str]) -> None:
        """The same by hand: for people, nothing of ours runs it."""
        if self.config.script_dir is None:
            return
        # The user's own variables stay out: they may be secret.
        exports = "".join(f"export {key}={shlex.quote(variables[key])}\n" for key in _TOLD if key in variables)
        text = f"set -ex\ncd {shlex.quote(str(chat))}\n{exports}{shlex.join(argv)}\n"
        path = Path(self.config.script_dir) / f"{name}.sh"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
