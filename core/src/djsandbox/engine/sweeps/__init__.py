"""Hyper-parameter search: many trials of one config, each with values of its own."""
