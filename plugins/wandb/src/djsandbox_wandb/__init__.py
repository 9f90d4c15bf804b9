"""Mirrors djsandbox runs to Weights & Biases, and runs sweeps through its own sweeps."""
