"""Data pools for djsandbox: construct, combine, duplicate, downsample, merge, join and rank."""
