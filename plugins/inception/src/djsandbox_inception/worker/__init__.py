"""What computes a metric, in an environment with torch, numpy and PyAV: by itself, without djsandbox.

`start.py` is run by its path; the modules import each other relatively, so that they are the same ones there and in tests.
"""
