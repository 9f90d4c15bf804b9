"""Text-to-video LoRA training and inference with EasyAnimate."""
