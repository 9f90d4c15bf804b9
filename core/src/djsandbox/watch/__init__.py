"""Metrics and tables in; queries, and whoever observes, out."""
