"""Mirrors djsandbox metrics to TensorBoard event files."""
