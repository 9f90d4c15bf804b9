"""What of diffusers is called."""

from __future__ import annotations

from djsandbox_easyanimate.testing.models import Part


class EulerDiscreteScheduler(Part):
    """As it is called."""


class EulerAncestralDiscreteScheduler(Part):
    """As it is called."""


class DPMSolverMultistepScheduler(Part):
    """As it is called."""


class PNDMScheduler(Part):
    """As it is called."""


class DDIMScheduler(Part):
    """As it is called."""


class FlowMatchEulerDiscreteScheduler(Part):
    """As it is called."""
