"""What the user can mend."""

from __future__ import annotations


class Unfit(Exception):
    """The videos, the detector or the machine do not allow the evaluation; the message says what to do."""
