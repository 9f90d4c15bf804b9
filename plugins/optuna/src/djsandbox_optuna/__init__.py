"""Hyper-parameter search with Optuna: no account, no network, resumable."""
