"""The model executor that generates videos with EasyAnimate."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from djsandbox import DECIDED_AT_RUN, Finding, Loc, Task, is_decided_at_run, visible_gpus
from djsandbox.errors import ComponentError

from djsandbox_easyanimate.executor import EasyAnimateConfig, EasyAnimateExecutor
from djsandbox_easyanimate.inference_arguments import Generation, driver_order, legacy_options
from djsandbox_easyanimate.inference_config import CURRENT_ONLY, InferBlock
from djsandbox_easyanimate.naming import names_of_models
from djsandbox_easyanimate.paths import Place
from djsandbox_easyanimate.prompts import chunks, problems_of_prompts, read_prompts, video_name
from djsandbox_easyanimate.videos import is_whole_mp4

_HOW: Loc = ("train", "infer_config")
_LORA: Loc = ("train", "model_path", "lora_path")
_DRIVER = Path(__file__).parent / "drivers" / "text_to_video.py"
_DONE = re.compile(r"video (\d+)/\d+: ")


class EasyAnimateInference(EasyAnimateExecutor):
    """Generates videos with EasyAnimate checkpoints."""

    workers = ("djsandbox_easyanimate.drivers.text_to_video",)

    class Config(EasyAnimateConfig):
        """Models, prompts and videos of `easyanimate`."""

        infer_name: str | None = None
        """What the inference is called; for people."""
        train: InferBlock
        """With what, what, and where to; called so because the existing sandbox does."""

        path_places: ClassVar[tuple[Place, ...]] = (
            ("model_path", "transformer_path"),
            ("model_path", "vae_path"),
            ("model_path", "motion_module_path"),
            ("model_path", "lora_path"),
            ("infer_config", "prompt_info_path"),
            ("saving_config", "output_video_dir"),
        )
        outside_key: ClassVar[frozenset[str]] = frozenset({"infer_name"})

    def key_fields(self) -> Mapping[str, Any]:
        """Without the number of parts, where a video does not depend on the others."""
        fields = dict(super().key_fields())
        if self.version == "current":
            train = fields["train"]
            how = {name: value for name, value in train["infer_config"].items() if name != "gpu_num"}
            fields["train"] = {**train, "infer_config": how}
        return fields

    def check_more(self) -> Iterable[Finding]:
        """Keys of the other version, GPUs, the LoRA, and prompts that no file can be called after."""
        how, model, home = self.config.train.infer_config, self.config.train.model_path, self._home()
        if self.version == "legacy":
            for name in sorted(CURRENT_ONLY & how.model_fields_set):
                yield Finding(
                    (*_HOW, name), f"version 'legacy' of EasyAnimate has no '{name}'", "leave it out: it is fixed there"
                )
            if how.image_size and how.image_size[0] != how.image_size[1]:
                yield Finding((*_HOW, "image_size"), "version 'legacy' makes square videos only", "give one number")
            if not model.lora_path:
                yield Finding(_LORA, "version 'legacy' needs the LoRA of a training", "set lora_path")
        elif home and os.path.isdir(home) and not (Path(home) / how.config_path).is_file():
            yield Finding((*_HOW, "config_path"), f"there is no '{how.config_path}' in '{home}'", "see its folder config/")
        loras = self._loras()
        twice = {lora for lora in loras if loras.count(lora) > 1 and not is_decided_at_run(lora)}
        for lora in sorted(twice):
            yield Finding(_LORA, f"'{lora}' stands there twice: its videos would be generated twice", "name each LoRA once")
        gpus = len(visible_gpus())
        if 0 < gpus < how.gpu_num:
            message = (
                f"the prompts are divided into {how.gpu_num} parts, and there are {gpus} GPUs: the others wait for their turn"
            )
            yield Finding((*_HOW, "gpu_num"), message, f"gpu_num: {gpus}", "warning")
        for message, fix in problems_of_prompts(how.prompt_info_path, how.video_num_per_prompt):
            yield Finding((*_HOW, "prompt_info_path"), message, fix)

    def planned_outputs(self) -> Any:
        """The folder of the videos; with several LoRAs the list of them, where those are known."""
        if is_decided_at_run(self._loras()):  # how many there are, too
            return DECIDED_AT_RUN
        return self._one_or_all([one.folder for one in self._generations()])

    def tasks(self, run_type: str, run_obj: Any = None) -> Iterator[Task]:
        """One for each LoRA and part of the prompts; each must write the videos of all of its prompts."""
        how = self.config.train.infer_config
        for message, fix in problems_of_prompts(how.prompt_info_path, how.video_num_per_prompt):
            raise ComponentError(message, fix=fix)
        parts = chunks(read_prompts(how.prompt_info_path), how.gpu_num)
        for one in self._generations():
            for at, prompts in enumerate(parts, start=1):
                words = [one.name] if one.name else []
                words += [f"part_{at}"] if len(parts) > 1 else []
                name = "_".join(words) or "generate"
                yield Task(
                    name=name,
                    argv=(str(self.environment.python), *self._program(one, name, prompts)),
                    outputs=tuple(os.path.join(one.folder, video) for video in self._videos(prompts)),
                    cwd=self.home(),
                    env=self.variables(),
                    gpus=1,
                )

    def task_result(self, task: Task) -> str:
        """The folder of the videos, when all of them are whole."""
        bad = [path for path in task.outputs if not is_whole_mp4(path)]
        if bad:
            raise ComponentError(f"{len(bad)} of {len(task.outputs)} videos are empty or cut off, the first is {bad[0]}")
        return os.path.dirname(task.outputs[0])

    def job_result(self, results: list[Any]) -> Any:
        """The folder of the videos; with several LoRAs the list of them."""
        return self._one_or_all([one.folder for one in self._generations()])

    def _watch_run(self, line: str, **kwargs: Any) -> None:
        """The number of videos so far becomes `<meta_name>.<part>.videos`."""
        found = _DONE.match(line)
        if found:
            self.watcher.watch({self.context.task or "generate": {"videos": int(found[1])}}, step=int(found[1]))

    def _loras(self) -> list[str]:
        return self.config.train.model_path.lora_path or []

    def _generations(self) -> list[Generation]:
        """One for each LoRA; the only one has no name, and the folder to itself."""
        loras, folder = self._loras(), self.config.train.saving_config.output_video_dir
        if len(loras) < 2:
            return [Generation("", loras[0] if loras else None, folder)]
        names = names_of_models(loras)
        return [Generation(name, lora, os.path.join(folder, name)) for name, lora in zip(names, loras, strict=True)]

    def _videos(self, prompts: list[str]) -> Iterator[str]:
        for prompt in prompts:
            for number in range(self.config.train.infer_config.video_num_per_prompt):
                yield video_name(prompt, number)

    def _program(self, one: Generation, name: str, prompts: list[str]) -> list[str]:
        """The script and its arguments, and the file with the prompts that it reads."""
        order = self.work_dir.absolute() / f"{name}.json"
        if self.version == "current":
            content: Any = driver_order(self.config.train, one, name, prompts)
            program = [str(_DRIVER), str(order)]
        else:
            content = [{"prompt_en": prompt} for prompt in prompts]
            program = ["infer_lora.py", *legacy_options(self.config.train, one, str(order))]
        order.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
        return program

    @staticmethod
    def _one_or_all(folders: list[str]) -> str | list[str]:
        return folders[0] if len(folders) == 1 else folders
