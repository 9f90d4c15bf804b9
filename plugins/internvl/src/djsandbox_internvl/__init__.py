"""COCO-caption LoRA training and evaluation of InternVL."""
