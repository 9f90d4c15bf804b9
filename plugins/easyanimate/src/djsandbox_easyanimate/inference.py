"""The model executor that generates videos with EasyAnimate."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from djsandbox import Finding, Loc, Task, visible_gpus
from djsandbox.errors import ComponentError

from djsandbox_easyanimate.executor import EasyAnimateConfig, EasyAnimateExecutor
from djsandbox_easyanimate.inference_config import CURRENT_ONLY, InferBlock
from djsandbox_easyanimate.paths import Place
from djsandbox_easyanimate.prompts import chunks, problems_of_prompts, read_prompts, video_name
from djsandbox_easyanimate.training_arguments import path_or_name

_HOW: Loc = ("train", "infer_config")
_DRIVER = Path(__file__).parent / "drivers" / "text_to_video.py"
_LEGACY_CONFIG = "config/easyanimate_video_motion_module_v1.yaml"
_LEGACY_SIZE = 256
_CURRENT_SIZE = (384, 672)
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
            if model.lora_path is None:
                loc = ("train", "model_path", "lora_path")
                yield Finding(loc, "version 'legacy' needs the LoRA of a training", "set lora_path")
        elif home and os.path.isdir(home) and not (Path(home) / how.config_path).is_file():
            yield Finding((*_HOW, "config_path"), f"there is no '{how.config_path}' in '{home}'", "see its folder config/")
        gpus = len(visible_gpus())
        if 0 < gpus < how.gpu_num:
            message = (
                f"the prompts are divided into {how.gpu_num} parts, and there are {gpus} GPUs: the others wait for their turn"
            )
            yield Finding((*_HOW, "gpu_num"), message, f"gpu_num: {gpus}", "warning")
        for message, fix in problems_of_prompts(how.prompt_info_path, how.video_num_per_prompt):
            yield Finding((*_HOW, "prompt_info_path"), message, fix)

    def planned_outputs(self) -> str:
        """The folder of the videos."""
        return str(self.config.train.saving_config.output_video_dir)

    def tasks(self, run_type: str, run_obj: Any = None) -> Iterator[Task]:
        """One for each part of the prompts; each must write the videos of all of its prompts."""
        how, folder = self.config.train.infer_config, self.config.train.saving_config.output_video_dir
        for message, fix in problems_of_prompts(how.prompt_info_path, how.video_num_per_prompt):
            raise ComponentError(message, fix=fix)
        parts = chunks(read_prompts(how.prompt_info_path), how.gpu_num)
        for at, prompts in enumerate(parts, start=1):
            names = [video_name(prompt, number) for prompt in prompts for number in range(how.video_num_per_prompt)]
            order = self.work_dir.absolute() / f"part_{at}.json"
            yield Task(
                name="generate" if len(parts) == 1 else f"part_{at}",
                argv=(str(self.environment.python), *self._program(order, prompts)),
                outputs=tuple(os.path.join(folder, name) for name in names),
                cwd=self.home(),
                env=self.variables(),
                gpus=1,
            )

    def task_result(self, task: Task) -> str:
        """The folder of the videos, when all of them begin like videos."""
        bad = [path for path in task.outputs if not _is_mp4(path)]
        if bad:
            raise ComponentError(f"{len(bad)} of {len(task.outputs)} videos are empty or cut off, the first is {bad[0]}")
        return os.path.dirname(task.outputs[0])

    def job_result(self, results: list[Any]) -> Any:
        """The folder of the videos."""
        return self.config.train.saving_config.output_video_dir

    def _watch_run(self, line: str, **kwargs: Any) -> None:
        """The number of videos so far becomes `<meta_name>.<part>.videos`."""
        found = _DONE.match(line)
        if found:
            self.watcher.watch({self.context.task or "generate": {"videos": int(found[1])}}, step=int(found[1]))

    def _program(self, order: Path, prompts: list[str]) -> list[str]:
        """The script and its arguments, which read the prompts from the file `order`."""
        if self.version == "current":
            order.write_text(json.dumps(self._order(prompts, order.stem), ensure_ascii=False, indent=1), encoding="utf-8")
            return [str(_DRIVER), str(order)]
        order.write_text(json.dumps([{"prompt_en": prompt} for prompt in prompts], ensure_ascii=False), encoding="utf-8")
        model, how = self.config.train.model_path, self.config.train.infer_config
        options = {
            "prompt_info_path": order,
            "config_path": _LEGACY_CONFIG,
            "pretrained_model_name_or_path": path_or_name(model.pretrained_model_name_or_path),
            "transformer_path": os.path.abspath(model.transformer_path),
            "lora_path": os.path.abspath(model.lora_path),
            "image_size": how.image_size[0] if how.image_size else _LEGACY_SIZE,
            "chunks_num": 1,
            "chunk_id": 0,
            "batch_size": how.batch_size,
            "video_num_per_prompt": how.video_num_per_prompt,
            "mixed_precision": how.mixed_precision,
            "save_path": os.path.abspath(self.config.train.saving_config.output_video_dir),
            "seed": how.seed,
        }
        return ["infer_lora.py", *(f"--{name}={value}" for name, value in options.items())]

    def _order(self, prompts: list[str], part: str) -> dict[str, Any]:
        """What the driver script is to do."""
        model, how = self.config.train.model_path, self.config.train.infer_config
        names = [
            "config_path",
            "sampler",
            "mixed_precision",
            "video_length",
            "fps",
            "guidance_scale",
            "num_inference_steps",
            "lora_weight",
            "negative_prompt",
            "gpu_memory_mode",
            "teacache_threshold",
            "seed",
        ]
        weights = ("transformer_path", "motion_module_path", "vae_path", "lora_path")
        paths = {name: getattr(model, name) for name in weights}
        return {
            "model": path_or_name(model.pretrained_model_name_or_path),
            **{name: os.path.abspath(path) if path else None for name, path in paths.items()},
            **{name: getattr(how, name) for name in names},
            "size": list(how.image_size or _CURRENT_SIZE),
            "videos_per_prompt": how.video_num_per_prompt,
            "prompts": prompts,
            "unfinished": f".unfinished-{part}.mp4",
            "output_dir": os.path.abspath(self.config.train.saving_config.output_video_dir),
        }


def _is_mp4(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(8)[4:] == b"ftyp"
