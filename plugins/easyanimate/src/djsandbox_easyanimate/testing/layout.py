"""Where the stand-in's files lie: two checkouts, an environment, models and data."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from djsandbox_easyanimate.testing.data import write_dataset, write_prompts
from djsandbox_easyanimate.testing.files import write_safetensors

_DOUBLES = Path(__file__).parent / "doubles"
_SHIM = "from djsandbox_easyanimate.testing.{module} import {names}\n"
_RUN = _SHIM + "\nif __name__ == '__main__':\n    {names}()\n"

_TRAIN_SH = """\
# fourteen words, as the sandbox's patch has them
[ $# -ge 12 ] || echo "too few arguments" >&2
accelerate launch --mixed_precision=$6 train_lora.py --config_path config/easyanimate_video_motion_module_v1.yaml \\
  --pretrained_model_name_or_path=$1 --transformer_path=$2 --train_data_dir=$3 --train_data_meta=$4 --sample_size=$5 \\
  --sample_n_frames=16 --sample_stride=2 --train_batch_size=$7 --gradient_accumulation_steps=$8 --num_train_epochs=$9 \\
  --dataloader_num_workers=${10} --checkpointing_steps=1000 --validation_prompts="a cliff by the sea" --output_dir=${12} \\
  --validation_steps=500 --learning_rate=2e-05 --seed=${11} --enable_xformers_memory_efficient_attention \\
  --gradient_checkpointing --adam_weight_decay=3e-2 --adam_epsilon=1e-10 --vae_mini_batch=1 --report_to=wandb \\
  --tracker_project_name=${13} --tracker_experiment_name=${14}
"""
_INFER_SH = """\
# eleven words; a process for each card, and nobody asks how they ended
for card in $(seq 0 $(($6 - 1))); do
  CUDA_VISIBLE_DEVICES=$card python infer_lora.py --pretrained_model_name_or_path=$1 --transformer_path=$2 --lora_path=$3 \\
    --image_size=$4 --prompt_info_path=$5 --chunks_num=$6 --chunk_id=$card --batch_size=$7 --mixed_precision=$8 \\
    --video_num_per_prompt=$9 --seed=${10} --save_path=${11} --config_path config/easyanimate_video_motion_module_v1.yaml &
done
wait
"""
_MODELS = "name_to_autoencoder_magvit = {'AutoencoderKLMagvit': Part}\n"
_CONFIG = {
    "transformer_additional_kwargs": {"transformer_type": "EasyAnimateTransformer3DModel", "enable_clip_in_inpaint": False},
    "vae_kwargs": {"vae_type": "AutoencoderKLMagvit"},
    "text_encoder_kwargs": {"enable_multi_text_encoder": False, "replace_t5_to_llm": True},
}
_LEGACY = {
    "train_lora.sh": _TRAIN_SH,
    "infer_lora.sh": _INFER_SH,
    "train_lora.py": _RUN.format(module="legacy", names="train_lora"),
    "infer_lora.py": _RUN.format(module="legacy", names="infer_lora"),
    "scripts/train_lora.py": "raise SystemExit('the script of the unpatched commit')\n",
    "config/easyanimate_video_motion_module_v1.yaml": "{}\n",
    "easyanimate/utils/IDDIM.py": "",
    "easyanimate/data/dataset_video.py": "def first(video_dict):\n    return video_dict['videos'], video_dict['text']\n",
    "requirements.txt": "",
}
_CURRENT = {
    "scripts/train_lora.py": _RUN.format(module="current", names="train_lora"),
    "predict_t2v.py": "",
    "config/easyanimate_video_v5.1_magvit_qwen.yaml": json.dumps(_CONFIG),
    "config/zero_stage2_config.json": "{}",
    "easyanimate/__init__.py": "",
    "easyanimate/models/__init__.py": _SHIM.format(module="models", names="Part, Transformer")
    + "\nname_to_transformer3d = {'EasyAnimateTransformer3DModel': Transformer}\n"
    + _MODELS,
    "easyanimate/models/transformer3d.py": "def get_teacache_coefficients(model_name):\n    return None\n",
    "easyanimate/pipeline/pipeline_easyanimate.py": _SHIM.format(module="models", names="Pipeline as EasyAnimatePipeline"),
    "easyanimate/pipeline/pipeline_easyanimate_inpaint.py": _SHIM.format(
        module="models", names="Pipeline as EasyAnimateInpaintPipeline"
    ),
    "easyanimate/utils/lora_utils.py": _SHIM.format(module="models", names="merge_lora"),
    "easyanimate/utils/utils.py": _SHIM.format(module="models", names="get_image_to_video_latent, save_videos_grid"),
    "easyanimate/utils/fp8_optimization.py": "def convert_weight_dtype_wrapper(module, origin_dtype):\n    pass\n\n\n"
    "def convert_model_weight_to_float8(model, exclude_module_name='embed_tokens'):\n    pass\n",
    "requirements.txt": "",
}


@dataclass(frozen=True)
class StandIn:
    """The places of what has been made."""

    folder: Path

    @property
    def home(self) -> Path:
        """The checkout of the current version."""
        return self.folder / "home"

    @property
    def legacy(self) -> Path:
        """The checkout of the old commit with the sandbox's patch."""
        return self.folder / "legacy"

    @property
    def env(self) -> Path:
        """The environment."""
        return self.folder / "env"

    @property
    def model(self) -> Path:
        """The folder of a base model."""
        return self.folder / "models" / "EasyAnimateV5.1-7b-zh"

    @property
    def transformer(self) -> Path:
        """The weights of a transformer, which the old version needs."""
        return self.folder / "models" / "easyanimate_mm_16x256x256_pretrain.safetensors"

    @property
    def dataset(self) -> Path:
        """Videos and their captions, as Data-Juicer reads them."""
        return self.folder / "data" / "videos.jsonl"

    @property
    def prompts(self) -> Path:
        """A few prompts in the format of VBench's list."""
        return self.folder / "data" / "prompts.json"

    def values(self, version: str | None) -> Iterator[tuple[str, str]]:
        """What the `extra_configs` of a job need for using it; without a version it is the one that a config has then."""
        is_current = version == "current"
        yield "env_manager", "existing"
        yield "env_params.path", str(self.env)
        yield "version", "current" if is_current else "legacy"
        yield "easyanimate_home", str(self.home if is_current else self.legacy)
        yield "train.model_path.pretrained_model_name_or_path", str(self.model)
        if not is_current:
            yield "train.model_path.transformer_path", str(self.transformer)


def make_stand_in(folder: str | Path) -> StandIn:
    """Make the stand-in in `folder`, over what is there."""
    made = StandIn(Path(os.path.abspath(folder)))
    for place, files in ((made.home, _CURRENT), (made.legacy, _LEGACY)):
        for name, content in files.items():
            _write(place / name, content)
    python = f'#!/bin/sh\nPYTHONPATH="{_DOUBLES}" exec "{sys.executable}" "$@"\n'
    accelerate = '#!/bin/sh\nexec "$(dirname "$0")/python" -m djsandbox_easyanimate.testing.accelerate "$@"\n'
    for name, content in (("python", python), ("accelerate", accelerate)):
        _write(made.env / "bin" / name, content)
        (made.env / "bin" / name).chmod(0o755)
    for part in ("transformer", "vae", "scheduler", "tokenizer", "text_encoder"):
        _write(made.model / part / "config.json", "{}")
    write_safetensors(made.transformer, "a transformer")
    made.dataset.parent.mkdir(parents=True, exist_ok=True)
    write_dataset(made.dataset)
    write_prompts(made.prompts)
    return made


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
