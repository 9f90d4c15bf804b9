from __future__ import annotations

import inspect
import logging
from pathlib import Path

import pytest
from djsandbox import BaseEvaluator
from djsandbox.components.config import ComponentConfig
from djsandbox.errors import PluginError
from djsandbox.plugins import hookspecs
from djsandbox.plugins.events import JobEvent, RunEvent
from djsandbox.plugins.hookspecs import hookimpl
from djsandbox.plugins.manager import STRICT_VARIABLE, SandboxPluginManager

RUN = RunEvent("r1", Path("outputs"), "project", "experiment", Path("sandbox.yaml"))
JOB = JobEvent("p/probe/0", "p", "probe", "name", "GeneralProbeHook", "t", 1, "done", seconds=0.5)


class Selected(BaseEvaluator):
    def run(self, eval_type, eval_obj=None, **kwargs):
        return "selected"


class Supplied(Selected):
    pass


class Observer:
    def __init__(self):
        self.heard = []

    @hookimpl
    def djsandbox_job_finished(self, job):
        self.heard.append(job)


class Raising:
    def __init__(self, error=None):
        self.error = error or ValueError("out of tune")

    @hookimpl
    def djsandbox_job_finished(self):
        raise self.error


class Supplier:
    def __init__(self, component, only_for="data_evaluators"):
        self.component, self.only_for = component, only_for

    @hookimpl
    def djsandbox_make_evaluator(self, factory):
        return self.component if factory == self.only_for else None


@pytest.fixture
def manager(monkeypatch):
    monkeypatch.delenv(STRICT_VARIABLE, raising=False)
    return SandboxPluginManager()


def made(manager, factory="data_evaluators"):
    return manager.make("evaluator", factory, Selected, ComponentConfig())


# -- supplying components ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["executor", "evaluator", "manipulator"])
def test_the_selected_class_is_made_when_no_plugin_supplies_another(manager, role):
    config = ComponentConfig()
    component, supplier = manager.make(role, "data_evaluators", Selected, config)
    assert type(component) is Selected and component.config is config and supplier is None


def test_a_plugin_may_supply_another_component_and_is_named(manager):
    other = Supplied(ComponentConfig())
    manager.register(Supplier(other), "replacer")
    component, supplier = made(manager)
    assert component is other and supplier.name == "replacer"


def test_a_plugin_that_answers_none_leaves_the_job_to_the_others(manager):
    other = Supplied(ComponentConfig())
    manager.register(Supplier(other), "first")
    manager.register(Supplier("never used", only_for="model_evaluators"), "second")
    component, supplier = made(manager)
    assert component is other and supplier.name == "first"
    component, supplier = made(manager, factory="model_infer_evaluators")
    assert type(component) is Selected and supplier is None


def test_plugins_are_asked_in_pluggys_order(manager):
    early, late = Supplied(ComponentConfig()), Supplied(ComponentConfig())

    class Last(Supplier):
        @hookimpl(trylast=True)
        def djsandbox_make_evaluator(self, factory):
            return self.component

    manager.register(Supplier(early), "usual")
    manager.register(Last(late), "last")
    component, supplier = made(manager)
    assert component is early and supplier.name == "usual"


def test_what_is_supplied_must_be_a_component(manager):
    manager.register(Supplier("a string"), "careless")
    with pytest.raises(PluginError, match="plugin 'careless' supplied str"):
        made(manager)


def test_a_supplier_that_raises_is_named(manager):
    class Broken:
        @hookimpl
        def djsandbox_make_evaluator(self):
            raise SystemExit(4)

    manager.register(Broken(), "quitter")
    with pytest.raises(PluginError, match=r"plugin 'quitter' failed in djsandbox_make_evaluator: SystemExit: 4") as caught:
        made(manager)
    assert isinstance(caught.value.__cause__, SystemExit)


def test_what_the_selected_constructor_raises_passes_as_it_is(manager):
    class Refusing(Selected):
        def __init__(self, config):
            raise LookupError("no such thing")

    manager.register(Supplier(None), "silent")
    with pytest.raises(LookupError, match="no such thing"):
        manager.make("evaluator", "data_evaluators", Refusing, ComponentConfig())


def test_a_wrapper_sees_the_component_and_is_named_whatever_it_gives_back_because_it_may_have_changed_it(manager):
    other = Supplied(ComponentConfig())
    seen = []

    class Wrapper:
        replace = False

        @hookimpl(wrapper=True)
        def djsandbox_make_evaluator(self):
            component = yield
            seen.append(component)
            return other if self.replace else component

    wrapper = Wrapper()
    manager.register(wrapper, "wrapper")
    component, supplier = made(manager)
    assert type(component) is Selected and supplier.name == "wrapper" and seen == [component]
    wrapper.replace = True
    component, supplier = made(manager)
    assert component is other and supplier.name == "wrapper"


def test_who_supplies_and_who_wraps_are_named_together(manager):
    class Wrapper:
        @hookimpl(wrapper=True)
        def djsandbox_make_evaluator(self):
            return (yield)

    manager.register(Wrapper(), "wrapper")
    alone = made(manager)[1]
    manager.register(Supplier(Supplied(ComponentConfig())), "replacer")
    both = made(manager)[1]
    assert both.name == "replacer+wrapper"
    assert both.source_digest != alone.source_digest


# -- observing ---------------------------------------------------------------------------------------------------------


def test_all_observers_are_told_though_one_raises(manager, caplog):
    before, after = Observer(), Observer()
    manager.register(before, "before")
    manager.register(Raising(), "noisy")
    manager.register(after, "after")
    with caplog.at_level(logging.WARNING):
        manager.notify("djsandbox_job_finished", job=JOB)
    assert before.heard == after.heard == [JOB]
    assert ["noisy" in str(complaint) for complaint in manager.complaints] == [True]
    assert "plugin 'noisy' failed in djsandbox_job_finished: ValueError: out of tune" in caplog.text


def test_an_observer_that_ends_the_interpreter_is_held_back_and_a_keyboard_interrupt_is_not(manager):
    manager.register(Raising(SystemExit(1)), "quitter")
    manager.notify("djsandbox_job_finished", job=JOB)
    assert "SystemExit" in str(manager.complaints[0])
    manager.register(Raising(KeyboardInterrupt()), "user")
    with pytest.raises(KeyboardInterrupt):
        manager.notify("djsandbox_job_finished", job=JOB)


def test_an_observer_that_raises_every_time_is_complained_about_once(manager):
    manager.register(Raising(), "noisy")
    for _ in range(5):
        manager.notify("djsandbox_job_finished", job=JOB)
    assert len(manager.complaints) == 1


def test_the_strict_variable_makes_an_observers_error_fatal(manager, monkeypatch):
    manager.register(Raising(), "noisy")
    monkeypatch.setenv(STRICT_VARIABLE, "1")
    with pytest.raises(PluginError, match="plugin 'noisy'"):
        manager.notify("djsandbox_job_finished", job=JOB)


def test_a_plugin_registered_between_two_notifications_hears_the_second(manager):
    manager.notify("djsandbox_job_finished", job=JOB)
    late = Observer()
    manager.register(late, "late")
    manager.notify("djsandbox_job_finished", job=JOB)
    assert late.heard == [JOB]


def test_notifying_about_a_hook_that_does_not_exist_is_a_mistake_of_the_caller(manager):
    with pytest.raises(AttributeError):
        manager.notify("djsandbox_job_finishd", job=JOB)


# -- loading -----------------------------------------------------------------------------------------------------------


def test_a_name_can_be_taken_once(manager):
    manager.register(Observer(), "mine")
    with pytest.raises(PluginError, match="plugin 'mine'"):
        manager.register(Observer(), "mine")


def test_every_specification_is_documented_and_typed():
    specifications = {name: spec for name, spec in vars(hookspecs).items() if name.startswith("djsandbox_")}
    assert len(specifications) == 24
    for name, specification in specifications.items():
        assert specification.__doc__, name
        for parameter in inspect.signature(specification).parameters.values():
            assert parameter.annotation is not inspect.Parameter.empty, f"{name}({parameter.name})"
