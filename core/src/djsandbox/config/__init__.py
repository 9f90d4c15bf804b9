"""YAML with line numbers, made into frozen models."""
