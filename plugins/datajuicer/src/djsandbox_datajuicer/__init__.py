"""Data-Juicer for djsandbox: process and analyse data with recipes, refine them with k-sigma or by a model's feedback."""
