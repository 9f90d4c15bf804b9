"""The plugins that observe and change runs: loaded one by one, called so that none can hurt another."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoints
from typing import TYPE_CHECKING, Any

import pluggy

from djsandbox.components.base import Component
from djsandbox.errors import PluginError, did_you_mean
from djsandbox.plugins import hookspecs
from djsandbox.plugins.driver import load
from djsandbox.plugins.groups import Role
from djsandbox.plugins.index import Claim, PluginIndex, plugin_index
from djsandbox.plugins.isolation import isolated, reason
from djsandbox.plugins.supplier import Supplier, class_digest
from djsandbox.process.capture import is_captured

if TYPE_CHECKING:
    from djsandbox.components.config import ComponentConfig

STRICT_VARIABLE = "DJSANDBOX_STRICT_PLUGINS"
"""Set to 1, this environment variable makes every error of a plugin end the run: for those who write one."""

GROUP = "plugins"

_logger = logging.getLogger("djsandbox.plugins")


class SandboxPluginManager:
    """All plugins of the group `djsandbox.plugins`, and those registered by hand.

    `broken` holds the plugins that could not be loaded, by name; `complaints` the errors of observers, the first of each
    plugin and hook.
    """

    def __init__(self, index: PluginIndex | None = None) -> None:
        self._pluggy = pluggy.PluginManager(hookspecs.PROJECT_NAME)
        self._pluggy.add_hookspecs(hookspecs)
        self._observers: dict[str, tuple[tuple[str, pluggy.HookCaller], ...]] = {}
        self._claims: dict[str, Claim] = {}
        self._complained: set[tuple[str, str]] = set()
        self.broken: dict[str, PluginError] = {}
        self.complaints: list[PluginError] = []
        self._load_all((index if index is not None else plugin_index()).claims(GROUP))

    def names(self) -> tuple[str, ...]:
        """Names of the plugins that are registered, in order."""
        return tuple(name for name, plugin in self._pluggy.list_name_plugin() if plugin is not None)

    def register(self, plugin: object, name: str) -> None:
        """Add a plugin: a module or object with functions marked `hookimpl`; a class is instantiated first.

        Raises PluginError where the name is taken or an implementation fits no specification.
        """
        what = f"plugin '{name}'"
        made = isolated(what, plugin) if isinstance(plugin, type) else plugin
        isolated(what, lambda: (hash(made), self._pluggy.register(made, name)))  # pluggy keeps plugins in sets
        self._observers.clear()
        try:
            self._pluggy.check_pending()
        except pluggy.PluginValidationError as error:
            self._pluggy.unregister(made)
            raise PluginError(f"{what}: it implements a hook that does not exist: {reason(error)}", fix=_hooks(made)) from error

    def unregister(self, name: str) -> None:
        """Take out the plugin that was registered as `name`."""
        self._pluggy.unregister(name=name)
        self._observers.clear()

    def is_heard(self, hook_name: str) -> bool:
        """Whether any plugin implements `hook_name`."""
        return bool(getattr(self._pluggy.hook, hook_name).get_hookimpls())

    def make(
        self, role: Role, factory: str, component_class: type[Component], config: ComponentConfig
    ) -> tuple[Component, Supplier | None]:
        """A component of `component_class`, or the one that a plugin supplies in its place, and who had a hand in it.

        The supplier belongs in the content key. It is the plugin that supplied the component and every plugin that wraps the
        hook, because a wrapper may change a component and give back the same; None where no plugin did either. Raises
        PluginError, naming the plugin, where one raises or supplies what is no component; what the constructor of
        `component_class` raises passes as it is.
        """
        hook_name = f"djsandbox_make_{role}"
        caller: pluggy.HookCaller = getattr(self._pluggy.hook, hook_name)
        implementations = caller.get_hookimpls()
        if not implementations:
            return component_class(config), None
        wrapping = [impl for impl in implementations if impl.wrapper or impl.hookwrapper]
        asked = [impl for impl in reversed(implementations) if impl not in wrapping]
        arguments = {"factory": factory, "component_class": component_class, "config": config}
        supplying: list[pluggy.HookImpl] = []

        def first_supplied(component_class: type[Component], config: ComponentConfig) -> Component:
            for impl in asked:
                others = [other.plugin for other in implementations if other is not impl]
                only = self._pluggy.subset_hook_caller(hook_name, others)
                made = _guarded(impl.plugin_name, hook_name, only, arguments)
                if made is not None:
                    supplying.append(impl)
                    return _component(made, impl.plugin_name, hook_name)
            return component_class(config)

        wrappers = self._pluggy.subset_hook_caller(hook_name, [impl.plugin for impl in asked])
        result = wrappers.call_extra([first_supplied], arguments)
        hands = [*supplying, *wrapping]
        component = _component(result, "+".join(impl.plugin_name for impl in hands), hook_name)
        return component, self._supplier(hands, component, component_class)

    def _supplier(self, hands: Sequence[pluggy.HookImpl], component: Component, selected: type[Component]) -> Supplier | None:
        if not hands:
            return None
        suppliers = [Supplier.of(impl.plugin_name, impl.plugin, self._claims.get(impl.plugin_name)) for impl in hands]
        elsewhere = class_digest(component, selected, [impl.plugin for impl in hands])
        return Supplier.joined(suppliers, [elsewhere] if elsewhere else [])

    def notify(self, hook_name: str, /, **arguments: Any) -> None:
        """Tell all plugins that implement `hook_name`; one that raises is reported, and the others are told all the same.

        With DJSANDBOX_STRICT_PLUGINS=1 in the environment the first error is raised, as a PluginError.
        """
        observers = self._observers.get(hook_name)
        if observers is None:
            observers = self._observers[hook_name] = self._callers(hook_name)
        for name, caller in observers:
            try:
                _guarded(name, hook_name, caller, arguments)
            except PluginError as error:
                if is_strict():
                    raise
                self._complain(name, hook_name, error)

    def _callers(self, hook_name: str) -> tuple[tuple[str, pluggy.HookCaller], ...]:
        """For each plugin that implements the hook, a caller that reaches only this plugin."""
        implementations = getattr(self._pluggy.hook, hook_name).get_hookimpls()
        plugins = [impl.plugin for impl in implementations]
        return tuple(
            (
                impl.plugin_name,
                self._pluggy.subset_hook_caller(hook_name, [other for other in plugins if other is not impl.plugin]),
            )
            for impl in reversed(implementations)
        )

    def _load_all(self, claims: tuple[Claim, ...]) -> None:
        taken = Counter(claim.name for claim in claims)
        for claim in claims:
            name = claim.name if taken[claim.name] == 1 else claim.exact_type
            try:
                self.register(load(claim), name)
                self._claims[name] = claim
            except PluginError as error:
                if is_strict():
                    raise
                self.broken[name] = error
                _logger.warning("%s", error)

    def _complain(self, name: str, hook_name: str, error: PluginError) -> None:
        if (name, hook_name) in self._complained:
            _logger.debug("%s", error)
            return
        self._complained.add((name, hook_name))
        self.complaints.append(error)
        _logger.warning("%s", error, exc_info=error.__cause__)
        if is_captured():  # that went to the log of the job at hand
            self.notify("djsandbox_notice", text=f"{error}\n    the run goes on")


def registration_problem(plugin: object, name: str) -> PluginError | None:
    """Why `plugin` cannot be registered, found out with a manager that nobody uses; None where it can."""
    trial = SandboxPluginManager(PluginIndex(EntryPoints()))
    try:
        trial.register(plugin, name)
    except PluginError as error:
        return error
    return None


def _guarded(name: str, hook_name: str, caller: pluggy.HookCaller, arguments: Mapping[str, Any]) -> Any:
    try:
        return caller(**arguments)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise PluginError(
            f"plugin '{name}' failed in {hook_name}: {reason(error)}", fix=f"mend or uninstall the plugin '{name}'"
        ) from error


def _component(made: object, name: str, hook_name: str) -> Component:
    if isinstance(made, Component):
        return made
    raise PluginError(
        f"plugin '{name}' supplied {type(made).__name__} in {hook_name}, which is no component",
        fix="return an instance of a subclass of djsandbox's base classes, or None",
    )


def _hooks(plugin: object) -> str:
    known = [name for name in dir(hookspecs) if name.startswith("djsandbox_")]
    unknown = [name for name in dir(plugin) if name.startswith("djsandbox_") and name not in known]
    return did_you_mean(unknown[0], known) if unknown else f"known: {', '.join(known)}"


def is_strict() -> bool:
    """Whether every error of a plugin ends the run."""
    return os.environ.get(STRICT_VARIABLE) == "1"
