"""From a file in W&B's sweep format to a `SweepConfig`, with everything that is wrong in it reported at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, cast, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from djsandbox.config.document import Document
from djsandbox.config.include import read_mapping
from djsandbox.config.schema import problems_of
from djsandbox.config.sweep import Goal, Hyperband, Method, Parameter, SweepConfig, SweepMetric
from djsandbox.config.sweep_parameters import read_parameters
from djsandbox.errors import ConfigError, Position, Problem, did_you_mean, misspelt

KEYS = ("method", "metric", "parameters", "early_terminate", "run_cap", "sweep_max_count", "sweeper")
"""The keys of a sweep file that mean something here."""

IGNORED_KEYS = (
    "apiVersion",
    "command",
    "controller",
    "description",
    "entity",
    "image_uri",
    "imageuri",
    "job",
    "kind",
    "name",
    "program",
    "project",
    "queue",
    "scheduler",
    "settings",
    "sweep_name",
)
"""The keys that only W&B's own agents and pages use."""

_METHODS: tuple[str, ...] = get_args(Method)
_MOST_BANDS = 100
_LARGEST_BAND = 1_000_000_000


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


_Block = TypeVar("_Block", bound=_Shape)


class _MetricShape(_Shape):
    name: str = Field(min_length=1)
    goal: Goal = "minimize"
    target: float | None = Field(default=None, allow_inf_nan=False)
    impute: Any = None
    impute_while_running: Any = None


class _HyperbandShape(_Shape):
    type: Literal["hyperband"]
    max_iter: int | None = Field(default=None, ge=1)
    min_iter: int | None = Field(default=None, ge=1)
    s: int | None = Field(default=None, ge=1)
    eta: float = Field(default=3.0, gt=1.0, allow_inf_nan=False)
    strict: bool = True


class _SweeperShape(_Shape):
    model_config = ConfigDict(extra="allow")

    type: str | None = Field(default=None, min_length=1)
    parallel: int = Field(default=1, ge=1)


@dataclass(frozen=True, slots=True)
class SweepParts:
    """What could be read of a sweep file: all that is right in it, and `whole` where everything is."""

    document: Document
    parameters: tuple[Parameter, ...]
    metric: SweepMetric | None
    early_terminate: Hyperband | None
    sweeper: str | None
    options: Document | None
    whole: SweepConfig | None

    def at(self, key: str) -> Position:
        """The place of one of the file's own keys."""
        return self.document.at((key,))


def read_sweep(path: Path, problems: list[Problem]) -> SweepConfig | None:
    """The sweep file at `path`; None where something in it is wrong. See `read_parts`."""
    parts = read_parts(path, problems)
    return parts.whole if parts else None


def read_parts(path: Path, problems: list[Problem]) -> SweepParts | None:
    """What can be read of the sweep file at `path`, so that the rest can be checked, too; None where it is no mapping.

    All errors and warnings are added to `problems`. Whether the parameters and the metric exist in the sandbox config, and what
    the backend says of its options, is checked by whoever has those.
    """
    try:
        document = read_mapping(path)
    except ConfigError as error:
        problems.extend(error.problems)
        return None
    found: list[Problem] = []
    _check_keys(document, found)
    method = _method(document, found)
    metric = _metric(document, found)
    parameters = () if _is_misspelt("parameters", document) else read_parameters(document, method, found)
    early = _early_terminate(document, found)
    limit = _limit(document, method, found)
    sweeper = _block(_SweeperShape, "sweeper", document, found) if _has_mapping(document, "sweeper") else None
    name = _sweeper_name(document, sweeper, found)
    options = _options(document) if sweeper else None
    whole = None
    if method is not None and metric is not None and not any(problem.severity == "error" for problem in found):
        whole = SweepConfig(
            file=path,
            method=method,
            metric=metric,
            parameters=parameters,
            early_terminate=early,
            max_trials=limit,
            parallel=sweeper.parallel if sweeper else 1,
            sweeper=name,
            options=options,
            places={str(key): document.at((key,)) for key in document.data},
        )
    problems.extend(found)
    return SweepParts(document, parameters, metric, early, name, options, whole)


def _check_keys(document: Document, problems: list[Problem]) -> None:
    for key in document.data:
        where = document.at((key,))
        if key == "metrics":
            problems.append(Problem("a sweep has one metric", where, "metric: {name: ..., goal: ...}"))
        elif key not in KEYS and key not in IGNORED_KEYS:
            problems.append(Problem(f"unknown key '{key}'", where, did_you_mean(str(key), KEYS)))
    ignored = [key for key in document.data if key in IGNORED_KEYS]
    if ignored:
        verb = "is" if len(ignored) == 1 else "are"
        message = f"{', '.join(ignored)} {verb} for W&B's own agents, and left out here"
        problems.append(Problem(message, document.at((ignored[0],)), severity="warning"))


def _is_misspelt(key: str, document: Document) -> bool:
    """Whether `key` is not there, and an unknown one is suggested to be it: one mistake, told once."""
    unknown = [str(one) for one in document.data if one not in KEYS and one not in IGNORED_KEYS]
    return document.data.get(key) is None and key in misspelt(unknown, KEYS)


def _method(document: Document, problems: list[Problem]) -> Method | None:
    method = document.data.get("method")
    where = document.at(("method",))
    if isinstance(method, str) and method in _METHODS:
        return cast("Method", method)
    if method is None:
        if not _is_misspelt("method", document):
            fix = f"add 'method: ...', one of {', '.join(_METHODS)}"
            problems.append(Problem("the key 'method' is missing", where, fix))
    elif method == "custom":
        fix = f"use one of {', '.join(_METHODS)}"
        problems.append(Problem("'method: custom' leaves the search to a program of W&B's", where, fix))
    else:
        problems.append(Problem(f"unknown method '{method}'", where, did_you_mean(str(method), _METHODS)))
    return None


def _metric(document: Document, problems: list[Problem]) -> SweepMetric | None:
    if document.data.get("metric") is None:
        if not _is_misspelt("metric", document):
            fix = "metric: {name: pipeline.meta_name.key, goal: maximize}"
            problems.append(Problem("the key 'metric' is missing: what is to be optimized?", document.at(("metric",)), fix))
        return None
    shape = _block(_MetricShape, "metric", document, problems)
    if shape is None:
        return None
    for key in ("impute", "impute_while_running"):
        if key in shape.model_fields_set:
            message = f"'{key}' is for W&B's own search, and left out here: failed trials have no value"
            problems.append(Problem(message, document.at(("metric", key)), severity="warning"))
    return SweepMetric(shape.name, shape.goal, shape.target, document.at(("metric",)))


def _early_terminate(document: Document, problems: list[Problem]) -> Hyperband | None:
    if document.data.get("early_terminate") is None:
        return None
    shape = _block(_HyperbandShape, "early_terminate", document, problems)
    where = document.at(("early_terminate",))
    if shape is None:
        return None
    if shape.max_iter is None and shape.min_iter is None:
        problems.append(Problem("'early_terminate' needs 'min_iter', or 'max_iter' and 's'", where, "add 'min_iter: 1'"))
        return None
    if shape.max_iter is not None and shape.s is None:
        fix = "add 's: 2', the number of bands below max_iter"
        problems.append(Problem("'max_iter' needs 's'", document.at(("early_terminate", "max_iter")), fix))
        return None
    for key in ("s",) if shape.max_iter is None else ("min_iter",):
        if key in shape.model_fields_set:
            message = f"'{key}' is not used beside '{'min_iter' if key == 's' else 'max_iter'}'"
            problems.append(Problem(message, document.at(("early_terminate", key)), severity="warning"))
    bands = _bands(shape)
    if not bands:
        fix = "raise max_iter, or lower eta"
        problems.append(Problem(f"max_iter {shape.max_iter} over eta {shape.eta:g} is below 1: nothing to stop at", where, fix))
        return None
    return Hyperband(bands, shape.eta, shape.strict, where)


def _bands(shape: _HyperbandShape) -> tuple[int, ...]:
    """The numbers of reported values at which trials are compared, as W&B counts them."""
    bands: set[int] = set()
    if shape.max_iter is not None:
        band = float(shape.max_iter)
        for _ in range(min(shape.s or 0, _MOST_BANDS)):
            band /= shape.eta
            bands.add(int(band))
        bands.discard(0)
    elif shape.min_iter is not None:
        band = float(shape.min_iter)
        for _ in range(_MOST_BANDS):
            bands.add(int(band))
            band *= shape.eta
            if band > _LARGEST_BAND:
                break
    return tuple(sorted(bands))


def _limit(document: Document, method: str | None, problems: list[Problem]) -> int | None:
    """`run_cap` and `sweep_max_count` (Data-Juicer's name for it) are one limit."""
    limits: dict[str, int] = {}
    for key in ("run_cap", "sweep_max_count"):
        value = document.data.get(key)
        if value is None or value == "None":
            continue
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            fix = "leave it out for no limit"
            problems.append(Problem(f"'{key}' must be a whole number above 0, not {value!r}", document.at((key,)), fix))
            return None
        limits[key] = value
    if len(set(limits.values())) > 1:
        both = " and ".join(f"{key}: {value}" for key, value in limits.items())
        problems.append(Problem(f"{both} are two limits for one thing", document.at(("sweep_max_count",)), "remove one"))
    if not limits and method in ("random", "bayes"):
        given = next((key for key in ("run_cap", "sweep_max_count") if key in document.data), "method")
        message = "nothing limits the number of trials: the sweep goes on until it is stopped with Ctrl-C"
        problems.append(Problem(message, document.at((given,)), "add 'run_cap: 20'", severity="warning"))
    return next(iter(limits.values()), None)


def _sweeper_name(document: Document, shape: _SweeperShape | None, problems: list[Problem]) -> str | None:
    if shape is not None:
        return shape.type
    written = document.data.get("sweeper")
    if written is None or (isinstance(written, str) and written):
        return written
    if not isinstance(written, Mapping):
        fix = "sweeper: {type: optuna, parallel: 2}"
        problems.append(Problem("'sweeper' must be the name of a backend, or a mapping", document.at(("sweeper",)), fix))
    return None


def _options(document: Document) -> Document:
    part = document.part(("sweeper",))
    return part.with_data({key: value for key, value in part.data.items() if key not in _SweeperShape.model_fields})


def _has_mapping(document: Document, key: str) -> bool:
    return isinstance(document.data.get(key), Mapping)


def _block(shape: type[_Block], key: str, document: Document, problems: list[Problem]) -> _Block | None:
    """The block `key` in its `shape`; None, with `problems`, where it has another."""
    inside: dict[str, Any] = {key: (shape, ...)}
    around = create_model("_Around", **inside)  # so that what is wrong is named with its block
    try:
        return cast("_Block", getattr(around.model_validate({key: document.data[key]}), key))
    except ValidationError as error:
        problems.extend(problems_of(error, document, around))
        return None
