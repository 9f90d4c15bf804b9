"""The `parameters` of a sweep file, with everything that is wrong in them reported at once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from djsandbox.config.distributions import DISTRIBUTIONS, LARGEST_EXPONENT, OF_A_GRID
from djsandbox.config.document import Document, Loc
from djsandbox.config.numbers import is_float
from djsandbox.config.quantized import multiples
from djsandbox.config.sweep import Parameter
from djsandbox.errors import Position, Problem, did_you_mean, misspelt

_LARGEST_GRID_AXIS = {"int_uniform": 1_000_000_000_000, "q_uniform": 1_000_000}


def read_parameters(document: Document, method: str | None, problems: list[Problem]) -> tuple[Parameter, ...]:
    """The parameters of a sweep file in the order of the file; those that cannot be read are added to `problems`.

    Nested parameters get dotted names, and keys that have dots stay as they are. `method` None stands for one that is unknown.
    """
    written = document.data.get("parameters")
    where = document.at(("parameters",))
    if not written:
        problems.append(Problem("there are no 'parameters' to search", where, "parameters: {name: {min: 0.0, max: 1.0}}"))
        return ()
    if not isinstance(written, Mapping):
        problems.append(Problem("'parameters' must be a mapping", where, "parameters: {name: {min: 0.0, max: 1.0}}"))
        return ()
    found: dict[str, Parameter] = {}
    seen: dict[str, Position] = {}
    for name, loc, spec in _leaves(document, ("parameters",), "", problems):
        if name in seen:
            fix = "a nested parameter and a key with dots have the same name; remove one"
            problems.append(Problem(f"the parameter '{name}' is there twice, first at {seen[name]}", document.at(loc), fix))
            continue
        seen[name] = document.at(loc)
        parameter = _Entry(document, loc, name, spec, problems).read(method)
        if parameter is not None:
            found[name] = parameter
    return tuple(found.values())


def _leaves(
    document: Document, loc: Loc, prefix: str, problems: list[Problem]
) -> Iterator[tuple[str, Loc, Mapping[str | int, Any]]]:
    data: Any = document.part(loc).data
    for key, spec in data.items():
        name, place = f"{prefix}{key}", (*loc, key)
        if not isinstance(spec, Mapping):
            fix = f"{key}: {{{'values' if isinstance(spec, list) else 'value'}: ...}}"
            problems.append(Problem(f"the parameter '{name}' must be a mapping", document.at(place), fix))
        elif "parameters" not in spec:
            yield name, place, spec
        elif len(spec) > 1 or not isinstance(spec["parameters"], Mapping) or not spec["parameters"]:
            fix = "nested parameters stand alone: {parameters: {name: {...}}}"
            problems.append(Problem(f"the parameter '{name}' has 'parameters' that cannot be read", document.at(place), fix))
        else:
            yield from _leaves(document, (*place, "parameters"), f"{name}.", problems)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One parameter as written."""

    document: Document
    loc: Loc
    name: str
    spec: Mapping[str | int, Any]
    problems: list[Problem]

    def read(self, method: str | None) -> Parameter | None:
        before = len(self.problems)
        distribution = self._distribution()
        if distribution is None:
            return None
        arguments = self._arguments(distribution)
        if len(self.problems) == before:
            self._check_values(arguments)
            self._check_numbers(distribution, arguments)
        if len(self.problems) == before and method == "grid":
            self._check_grid(distribution, arguments)
        if len(self.problems) > before:
            return None
        if distribution != "int_uniform":
            arguments |= {key: float(arguments[key]) for key in ("min", "max", "mu", "sigma", "a", "b") if key in arguments}
        return Parameter(self.name, distribution, arguments, self.document.at(self.loc))

    def _complain(self, message: str, fix: str | None = None, *, key: str | int | None = None) -> None:
        where = self.document.at(self.loc if key is None else (*self.loc, key))
        self.problems.append(Problem(f"the parameter '{self.name}': {message}", where, fix))

    def _distribution(self) -> str | None:
        """The distribution as written, or as W&B understands it from the other keys."""
        given: Any = self.spec.get("distribution")
        if given is not None:
            if isinstance(given, str) and given in DISTRIBUTIONS:
                return given
            fix = did_you_mean(str(given), DISTRIBUTIONS)
            if "'log_uniform'" in fix:
                fix += " it takes exponents of e; 'log_uniform_values' takes the values themselves"
            self._complain(f"unknown distribution '{given}'", fix, key="distribution")
            return None
        if "value" in self.spec:
            return "constant"
        if "values" in self.spec:
            return "categorical_w_probabilities" if "probabilities" in self.spec else "categorical"
        if "min" in self.spec or "max" in self.spec:
            whole = all(_is_whole(self.spec.get(key)) for key in ("min", "max"))
            return "int_uniform" if whole else "uniform"
        known = {argument for one in DISTRIBUTIONS.values() for argument in one.arguments}
        unknown = [key for key in self.spec if key not in known]
        for key in unknown:
            self._complain(f"unknown key '{key}'", did_you_mean(str(key), {"distribution", *known}), key=key)
        if not unknown:
            self._complain("it has no distribution", "give it value, values, min and max, or a distribution")
        return None

    def _arguments(self, distribution: str) -> dict[str, Any]:
        takes = DISTRIBUTIONS[distribution]
        unknown = [key for key in self.spec if key not in ("distribution", *takes.arguments)]
        for key in unknown:
            self._complain(f"{distribution} takes no '{key}'", self._about_unknown(str(key), distribution), key=key)
        meant = misspelt(map(str, unknown), ("distribution", *takes.arguments))
        for key in takes.required:
            if key not in self.spec and key not in meant:
                self._complain(f"{distribution} needs '{key}'", f"add '{key}: ...' there")
        given = {key: self.spec[key] for key in takes.arguments if key in self.spec}
        return {**takes.defaults, **given}

    def _about_unknown(self, key: str, distribution: str) -> str:
        stepped = f"q_{distribution.removeprefix('int_')}"
        if key == "q" and stepped in DISTRIBUTIONS:
            return f"distribution: {stepped}"
        if key == "probabilities":
            return "distribution: categorical_w_probabilities"
        return did_you_mean(key, ("distribution", *DISTRIBUTIONS[distribution].arguments))

    def _check_values(self, arguments: Mapping[str, Any]) -> None:
        for key in ("values", "probabilities"):
            if key in arguments and (not isinstance(arguments[key], list) or not arguments[key]):
                self._complain(f"'{key}' must be a list with something in it", f"{key}: [...]", key=key)
                return
        for key in ("value", "values"):
            if key in arguments and not _is_json(arguments[key]):
                fix = "use numbers, text, true, false, null, lists and mappings; put dates and keys that are numbers in quotes"
                self._complain(f"'{key}' has something that cannot be recorded", fix, key=key)
        if "probabilities" not in arguments:
            return
        values, probabilities = arguments["values"], arguments["probabilities"]
        if len(values) != len(probabilities):
            message = f"{len(values)} values and {len(probabilities)} probabilities"
            self._complain(message, "give one probability for each value", key="probabilities")
        elif not all(is_float(one) and one >= 0 for one in probabilities):
            self._complain("'probabilities' must be numbers, 0 or above", key="probabilities")
        elif not math.isclose(sum(probabilities), 1.0, rel_tol=1e-5):
            self._complain(f"the probabilities make {sum(probabilities):g} together, not 1", key="probabilities")

    def _check_numbers(self, distribution: str, arguments: Mapping[str, Any]) -> None:
        before = len(self.problems)
        for key, value in arguments.items():
            if key in ("value", "values", "probabilities"):
                continue
            is_whole_wanted = distribution == "int_uniform"
            if not (_is_whole(value) if is_whole_wanted else is_float(value)):
                wanted = "a whole number" if is_whole_wanted else "a number"
                self._complain(f"'{key}' must be {wanted}, not {value!r}", key=key)
            elif key in ("q", "sigma", "a", "b") and value <= 0:
                self._complain(f"'{key}' must be above 0, not {value}", key=key)
        if len(self.problems) == before and "min" in arguments:
            self._check_range(distribution, arguments["min"], arguments["max"])
        if len(self.problems) == before and distribution.endswith("log_normal"):
            far = abs(arguments["mu"]) + 6 * arguments["sigma"]
            if far > LARGEST_EXPONENT:
                fix = "mu and sigma are those of the logarithm"
                self._complain(f"e to the power of {far:g} is no number", fix)
        if len(self.problems) == before and "q" in arguments:
            self._check_step(Parameter(self.name, distribution, arguments, self.document.at(self.loc)))

    def _check_range(self, distribution: str, low: float, high: float) -> None:
        if low >= high:
            self._complain(f"min {low} is not below max {high}", "for a single one, write 'value: ...'", key="min")
        elif distribution.endswith("log_uniform_values") and low <= 0:
            self._complain(f"min {low} has no logarithm", "give a min above 0", key="min")
        elif distribution.endswith("log_uniform") and max(abs(low), abs(high)) > LARGEST_EXPONENT:
            fix = f"distribution: {distribution}_values"
            self._complain(f"min and max of {distribution} are exponents of e; to give the values themselves", fix, key="max")

    def _check_step(self, parameter: Parameter) -> None:
        if parameter.bounds is not None and not multiples(parameter.arguments["q"], parameter.bounds):
            low, high = parameter.bounds
            message = f"no multiple of {parameter.arguments['q']} lies between {low:g} and {high:g}"
            self._complain(message, "make 'q' smaller", key="q")
            return
        try:
            parameter.examples()
        except OverflowError:
            self._complain(f"'q' {parameter.arguments['q']} is too small a step for such values", "make 'q' larger", key="q")

    def _check_grid(self, distribution: str, arguments: Mapping[str, Any]) -> None:
        if distribution == "categorical_w_probabilities":
            self._complain("a grid has no probabilities", "remove them, or use 'method: random'", key="probabilities")
        elif distribution not in OF_A_GRID:
            fix = "list 'values', use int_uniform or q_uniform, or 'method: random'"
            self._complain(f"a grid cannot go through {distribution}, which is continuous", fix)
        elif distribution in _LARGEST_GRID_AXIS:
            inside = multiples(arguments.get("q", 1), (arguments["min"], arguments["max"]))
            many = inside.stop - inside.start
            if many > _LARGEST_GRID_AXIS[distribution]:
                self._complain(f"a grid of {many:,} values", "give fewer: bring min and max together, or list 'values'")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_json(value: object) -> bool:
    if isinstance(value, float):
        return not math.isnan(value)
    if isinstance(value, list):
        return all(map(_is_json, value))
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_json(item) for key, item in value.items())
    return value is None or isinstance(value, (bool, int, str))
