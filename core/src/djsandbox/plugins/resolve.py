"""From the `type` of a job to the class that does its work."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from djsandbox.errors import PluginError, did_you_mean
from djsandbox.plugins.checks import class_problem
from djsandbox.plugins.driver import load
from djsandbox.plugins.groups import named, short_group
from djsandbox.plugins.index import Claim, PluginIndex, normalised, plugin_index
from djsandbox.plugins.isolation import isolated
from djsandbox.plugins.local import import_file
from djsandbox.plugins.local_faults import defined_in, place_of
from djsandbox.plugins.sources import source_digest, source_of
from djsandbox.plugins.suggestions import DEFAULT, ambiguous, no_default, unknown


@dataclass(frozen=True, slots=True)
class Resolved:
    """A component's class and where it comes from.

    `distribution` and `version` are those of the plugin, None for a class that no installed plugin claims. `source` is the file
    of a class whose code may change while its version does not (a local file, a module named directly, an editable
    install), and `source_digest` the SHA-256 of that file and of the source it imports: see `sources.source_digest`.
    """

    group: str
    type_name: str
    component_class: type
    distribution: str | None
    version: str | None
    source: Path | None
    source_digest: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: `problem(found, what)` is the error for what is no such thing, `fits(value)` makes suggestions.

    `kind` is what stands for it in an example, as in `./file.py:Class`, `called` what messages say it is, and `defined(file)`
    the names of such things in a file that is read and not run.
    """

    problem: Callable[[object, str], PluginError | None]
    fits: Callable[[object], bool]
    kind: str
    called: str
    defined: Callable[[Path], list[str]]


def resolve(group: str, type_name: str | None, *, base: type, folder: Path, index: PluginIndex | None = None) -> Resolved:
    """The class that `type_name` means in `group`; it is a concrete subclass of `base`.

    `type_name` is a name that an installed plugin claims, or None for the group's default; `distribution:name` where two
    claim it; `./file.py:Class`, relative to `folder` (that of the config file which names it); or `package.module:Class`.

    Raises PluginError for whatever does not lead to such a class, and for anything that importing it raises.
    """
    wanted = Wanted(
        lambda found, what: class_problem(found, base, what),
        lambda value: inspect.isclass(value) and issubclass(value, base),
        "Class",
        f"class derived from {base.__name__}",
        lambda file: defined_in(file, ast.ClassDef, base.__name__),
    )
    index = index or plugin_index()
    if type_name is None:
        return _default(group, wanted, index)
    return find(group, type_name, wanted, folder, index)


def find(group: str, type_name: str, wanted: Wanted, folder: Path, index: PluginIndex) -> Resolved:
    """What `type_name` means in `group`, spelled in any of the ways that `resolve` takes, where it is what is `wanted`."""
    left, colon, right = type_name.rpartition(":")
    if not colon and _is_file(type_name):
        raise _incomplete(group, type_name, type_name, folder, wanted)
    if not colon:
        return _claimed(index.find(group, type_name), wanted)
    claims = [claim for claim in index.claimants(group, right) if normalised(claim.distribution) == normalised(left)]
    if len(claims) > 1:
        raise ambiguous(claims)
    if claims:
        return _claimed(claims[0], wanted)
    if not left or not right:
        raise _incomplete(group, type_name, left, folder, wanted)
    if _is_file(left):
        return _from_file(group, type_name, _local(left, folder), right, wanted)
    return _from_module(group, type_name, left, right, wanted, index)


def _default(group: str, wanted: Wanted, index: PluginIndex) -> Resolved:
    found = index.claimants(group, DEFAULT)
    if not found:
        raise no_default(group, index)
    if len(found) > 1:
        raise ambiguous(found)
    return _claimed(found[0], wanted)


def _claimed(claim: Claim, wanted: Wanted) -> Resolved:
    what = f"{named(claim.group, claim.name)} (from {claim.distribution} {claim.version})"
    component_class = _checked(load(claim), wanted, what)
    module = sys.modules.get(component_class.__module__)
    source, digest = source_of(module) if module is not None and claim.is_editable else (None, None)
    return Resolved(claim.group, claim.name, component_class, claim.distribution, claim.version, source, digest)


def _from_file(group: str, type_name: str, file: Path, class_name: str, wanted: Wanted) -> Resolved:
    what = named(group, type_name)
    if not file.is_file():
        raise _no_such_file(what, file)
    if file.suffix != ".py" or "." in file.stem:
        raise PluginError(f"{what}: {file.name} cannot be imported", fix="name the file <name>.py, with no other dot")
    digest = source_digest(file, file.stem)
    try:
        module = isolated(what, lambda: import_file(file, digest), remedy=lambda error: _remedy_in(error, file))
    except PluginError as error:
        problem = error.problems[0]
        where = place_of(error.__cause__, file.parent) if error.__cause__ is not None else None
        raise PluginError(problem.message, where=where, fix=problem.fix) from error.__cause__
    component_class = _checked(_member(module, class_name, what, wanted), wanted, what)
    return Resolved(short_group(group), type_name, component_class, None, None, file, digest)


def _from_module(group: str, type_name: str, module_name: str, class_name: str, wanted: Wanted, index: PluginIndex) -> Resolved:
    what = named(group, type_name)
    if not all(part.isidentifier() for part in module_name.split(".")):
        raise _no_such_distribution(group, type_name, module_name, class_name, index)
    try:
        module = isolated(what, lambda: importlib.import_module(module_name))
    except PluginError as error:
        missing = error.__cause__
        if isinstance(missing, ModuleNotFoundError) and f"{module_name}.".startswith(f"{missing.name}."):
            raise _no_such_distribution(group, type_name, module_name, class_name, index) from missing
        raise
    component_class = _checked(_member(module, class_name, what, wanted), wanted, what)
    return Resolved(short_group(group), type_name, component_class, None, None, *source_of(module))


def _no_such_distribution(group: str, type_name: str, left: str, right: str, index: PluginIndex) -> PluginError:
    """`left` is neither an installed distribution that claims `right` nor a module."""
    what = named(group, type_name)
    for name, (version, claims) in index.distributions().items():
        if normalised(name) == normalised(left):
            offered = [claim.name for claim in claims if claim.group == short_group(group)]
            return PluginError(f"{what}: {name} {version} has no '{right}' in {group}", fix=did_you_mean(right, offered))
    claimants = index.claimants(group, right)
    if claimants:
        choices = " or ".join(f'"{claim.exact_type}"' for claim in claimants)
        remedy = f"'{right}' is claimed by another distribution: write {choices}"
    else:
        plain = unknown(group, right, index).problems[0]
        remedy = f"install it, or name a file: ./file.py:{right}. As for '{right}': {plain.fix}"
    return PluginError(f"{what}: '{left}' is neither an installed plugin that claims '{right}' nor a module", fix=remedy)


def _member(module: ModuleType, class_name: str, what: str, wanted: Wanted) -> Any:
    found: Any = module
    for part in class_name.split("."):
        if not hasattr(found, part):
            fitting = [name for name, value in vars(module).items() if _fits(value, module, wanted)]
            fix = did_you_mean(class_name, fitting) if fitting else f"there is no {wanted.called} in it: write one"
            raise PluginError(f"{what}: {module.__file__} has no '{class_name}'", fix=fix)
        found = getattr(found, part)
    return found


def _fits(value: object, module: ModuleType, wanted: Wanted) -> bool:
    return getattr(value, "__module__", None) == module.__name__ and wanted.fits(value)


def _checked(found: Any, wanted: Wanted, what: str) -> type:
    problem = wanted.problem(found, what)
    if problem is not None:
        raise problem
    component_class: type = found
    return component_class


def _incomplete(group: str, type_name: str, left: str, folder: Path, wanted: Wanted) -> PluginError:
    """The error for what names a file or a module and nothing in it, or the reverse."""
    what = named(group, type_name)
    if not left or not _is_file(left):
        return PluginError(f"{what} is incomplete", fix=f'write "./file.py:{wanted.kind}" or "package.module:{wanted.kind}"')
    file = _local(left, folder)
    if not file.is_file():
        return _no_such_file(what, file)
    offered = " or ".join(f'"{left}:{name}"' for name in wanted.defined(file))
    fix = f"write {offered}" if offered else f'write "{left}:{wanted.kind}"; no {wanted.called} can be seen in it'
    return PluginError(f"{what} is incomplete: it names a file, and nothing in it", fix=fix)


def _no_such_file(what: str, file: Path) -> PluginError:
    siblings = [path.name for path in file.parent.glob("*.py")] if file.parent.is_dir() else []
    remedy = did_you_mean(file.name, siblings) if siblings else "the path is relative to the config file that names it"
    return PluginError(f"{what}: there is no file {file}", fix=remedy)


def _local(left: str, folder: Path) -> Path:
    return (folder / Path(left).expanduser()).resolve()


def _is_file(left: str) -> bool:
    return left.endswith(".py") or left.startswith(("./", "../", "/", "~"))


def _remedy_in(error: BaseException, file: Path) -> str:
    """What to do about what importing a local file raised."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        sibling = error.name.partition(".")[0]
        if (file.parent / f"{sibling}.py").is_file() or (file.parent / sibling).is_dir():
            return f"import what lies beside the file relatively: 'from .{error.name} import ...' or 'from . import {sibling}'"
        return f"install what has the module '{error.name}' in the environment of djsandbox, or mend the import"
    return f"mend {file.name}"
