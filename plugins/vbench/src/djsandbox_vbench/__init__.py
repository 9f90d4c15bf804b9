"""Evaluation of generated videos with VBench."""
