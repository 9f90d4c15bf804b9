"""The distributions of W&B's sweep format: what each takes, and what it gives where an argument is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Distribution:
    """The arguments of one distribution: those it must have, and the defaults of the others."""

    required: tuple[str, ...] = ()
    defaults: Mapping[str, int | float] = field(default_factory=dict)

    @property
    def arguments(self) -> tuple[str, ...]:
        """All arguments, as a file may give them."""
        return (*self.required, *self.defaults)


_RANGE = ("min", "max")
_NORMAL = {"mu": 0.0, "sigma": 1.0}
_BETA = {"a": 1.0, "b": 1.0}
_STEP = {"q": 1}

DISTRIBUTIONS: Mapping[str, Distribution] = MappingProxyType(
    {
        "constant": Distribution(("value",)),
        "categorical": Distribution(("values",)),
        "categorical_w_probabilities": Distribution(("values", "probabilities")),
        "int_uniform": Distribution(_RANGE),
        "uniform": Distribution(_RANGE),
        "q_uniform": Distribution(_RANGE, _STEP),
        "log_uniform": Distribution(_RANGE),
        "log_uniform_values": Distribution(_RANGE),
        "q_log_uniform": Distribution(_RANGE, _STEP),
        "q_log_uniform_values": Distribution(_RANGE, _STEP),
        "inv_log_uniform": Distribution(_RANGE),
        "inv_log_uniform_values": Distribution(_RANGE),
        "normal": Distribution((), _NORMAL),
        "q_normal": Distribution((), _NORMAL | _STEP),
        "log_normal": Distribution((), _NORMAL),
        "q_log_normal": Distribution((), _NORMAL | _STEP),
        "beta": Distribution((), _BETA),
        "q_beta": Distribution((), _BETA | _STEP),
    }
)
"""By W&B's names. The step `q` is a whole number where it is left out, so that the values are whole numbers, too."""

OF_A_GRID = ("constant", "categorical", "int_uniform", "q_uniform")
"""The distributions that `method: grid` can go through one by one."""

LARGEST_EXPONENT = 700.0
"""e to this power still is a number (1e304)."""
