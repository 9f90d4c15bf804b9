"""A stand-in of InternVL for tests and dry runs: what its checkout and its environment look like from outside.

`python -m djsandbox_internvl.testing FOLDER` makes it. It takes the arguments of the real programs and refuses what they
refuse, prints their lines and writes their files, and needs neither a GPU nor torch. What it "learns" is a number that it
computes from the captions, so that its scores rank data pools, and it fails on request: see `programs/standins.py`.
"""

from __future__ import annotations

from djsandbox_internvl.testing.making import StandIn, make_stand_in
from djsandbox_internvl.testing.programs.weights import write_model
from djsandbox_internvl.testing.settings import settings_for

__all__ = ["StandIn", "make_stand_in", "settings_for", "write_model"]
