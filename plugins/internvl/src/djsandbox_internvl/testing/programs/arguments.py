"""The arguments that the stand-in of the fine-tuning takes: those of InternVL, and of transformers what people set."""

from __future__ import annotations

BOOLEANS = (
    "freeze_llm", "freeze_backbone", "freeze_mlp", "unfreeze_lm_head", "grad_checkpoint", "use_fast_tokenizer",
    "use_liger", "pad2square", "use_data_resampling", "dynamic_image_size", "use_thumbnail", "use_packed_ds",
    "strict_mode", "replacement", "allow_overflow", "loss_reduction_all_gather", "overwrite_output_dir", "do_train",
    "do_eval", "bf16", "fp16", "tf32", "group_by_length", "logging_first_step", "logging_nan_inf_filter",
    "save_safetensors", "save_only_model", "dataloader_pin_memory", "dataloader_drop_last", "gradient_checkpointing",
    "disable_tqdm", "remove_unused_columns",
)  # fmt: skip
NUMBERS = (
    "unfreeze_vit_layers", "vision_select_layer", "use_backbone_lora", "use_llm_lora", "max_seq_length",
    "force_image_size", "min_dynamic_patch", "max_dynamic_patch", "min_num_frame", "max_num_frame",
    "num_images_expected", "max_packed_tokens", "max_buffer_size", "log_freq", "per_device_train_batch_size",
    "gradient_accumulation_steps", "save_total_limit", "warmup_steps", "max_steps", "seed", "data_seed",
    "dataloader_num_workers", "drop_path_rate", "down_sample_ratio", "num_train_epochs", "save_steps", "logging_steps",
    "learning_rate", "weight_decay", "warmup_ratio", "adam_beta1", "adam_beta2", "adam_epsilon", "max_grad_norm",
)  # fmt: skip
TEXTS = (
    "model_name_or_path", "vision_path", "llm_path", "mlp_path", "conv_style", "output_dir", "meta_path", "deepspeed",
    "report_to", "run_name", "loss_reduction", "logging_dir", "lr_scheduler_type", "optim", "resume_from_checkpoint",
    "log_level",
)  # fmt: skip
CHOICES = {
    "ps_version": ("v1", "v2"),
    "normalize_type": ("imagenet", "clip", "siglip"),
    "evaluation_strategy": ("no", "steps", "epoch"),
    "save_strategy": ("no", "steps", "epoch"),
}
STYLES = ("internvl_zh", "Hermes-2", "internlm2-chat", "phi3-chat", "internvl2_5")
