"""A stand-in of EasyAnimate for tests and dry runs: `python -m djsandbox_easyanimate.testing FOLDER` makes it.

It takes the arguments of the real tool, prints its lines, writes its files and fails in the ways that `FAULT` names, without a
graphics card, a model or torch. It knows nothing of the adapter.
"""

from __future__ import annotations

from djsandbox_easyanimate.testing.faults import FAULT, FAULTS
from djsandbox_easyanimate.testing.layout import StandIn, make_stand_in

__all__ = ["FAULT", "FAULTS", "StandIn", "make_stand_in"]
