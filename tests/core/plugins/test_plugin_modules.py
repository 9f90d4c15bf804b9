"""Pluggy modules of installed plugins: found, loaded apart from each other, and told of a run's life."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from djsandbox.errors import PluginError
from djsandbox.plugins import hookspecs
from djsandbox.plugins.events import JobEvent, RunEvent
from djsandbox.plugins.hookspecs import hookimpl
from djsandbox.plugins.manager import STRICT_VARIABLE, SandboxPluginManager

RUN = RunEvent("r1", Path("outputs"), "project", "experiment", Path("sandbox.yaml"))
JOB = JobEvent("p/probe/0", "p", "probe", "name", "GeneralProbeHook", "t", 1, "done", seconds=0.5)


class Fine:
    @hookimpl
    def djsandbox_job_finished(self, job):
        """Heard, and nothing done."""


LISTENING = """
from djsandbox import hookimpl
heard = []

@hookimpl
def djsandbox_run_started(run):
    heard.append(run.run_id)
"""
CLASSY = """
from djsandbox import hookimpl
heard = []

class Plugin:
    @hookimpl
    def djsandbox_run_started(self, run):
        heard.append(self)
"""
PLUGINS = "djsandbox.plugins"


def test_a_broken_plugin_is_remembered_and_does_not_hurt_the_others(install, monkeypatch):
    monkeypatch.delenv(STRICT_VARIABLE, raising=False)
    install("acme-bad", modules={"acme_bad": "raise SystemExit"}, entry_points={PLUGINS: {"bad": "acme_bad"}})
    install("acme-good", modules={"acme_good": LISTENING}, entry_points={PLUGINS: {"good": "acme_good"}})
    manager = SandboxPluginManager()
    manager.notify("djsandbox_run_started", run=RUN)
    assert __import__("acme_good").heard == ["r1"]
    assert "SystemExit" in str(manager.broken["bad"]) and isinstance(manager.broken["bad"].__cause__, SystemExit)


def test_every_hook_of_a_runs_life_reaches_a_plugin_with_the_arguments_it_is_specified_with(install):
    life = {
        name: list(inspect.signature(specification).parameters)
        for name, specification in vars(hookspecs).items()
        if name.startswith("djsandbox_") and "_make_" not in name
    }
    source = "from djsandbox import hookimpl\nheard = {}\n" + "".join(
        f"@hookimpl\ndef {name}({', '.join(names)}):\n    heard[{name!r}] = [{', '.join(names)}]\n"
        for name, names in life.items()
    )
    install("acme-all", modules={"acme_all": source}, entry_points={PLUGINS: {"all": "acme_all"}})
    manager = SandboxPluginManager()
    for name, names in life.items():
        manager.notify(name, **{argument: f"the {argument}" for argument in names})
    assert __import__("acme_all").heard == {name: [f"the {argument}" for argument in names] for name, names in life.items()}
    assert not manager.complaints


def test_two_plugins_of_one_name_both_load(install):
    for name in ("acme-a", "acme-b"):
        module = name.replace("-", "_")
        install(name, modules={module: LISTENING}, entry_points={PLUGINS: {"same": module}})
    manager = SandboxPluginManager()
    manager.notify("djsandbox_run_started", run=RUN)
    assert {"acme-a:same", "acme-b:same"} <= set(manager.names())
    assert __import__("acme_a").heard == __import__("acme_b").heard == ["r1"]


def test_a_plugin_may_be_a_class_which_is_instantiated(install):
    install("acme-class", modules={"acme_class": CLASSY}, entry_points={PLUGINS: {"classy": "acme_class:Plugin"}})
    manager = SandboxPluginManager()
    manager.notify("djsandbox_run_started", run=RUN)
    (plugin,) = __import__("acme_class").heard
    assert type(plugin).__name__ == "Plugin" and "classy" in manager.names()


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("def djsandbox_run_startd(run): ...", "did you mean 'djsandbox_run_started'"),
        ("def djsandbox_run_started(runn): ...", "runn"),
    ],
)
def test_an_implementation_that_fits_no_specification_breaks_its_plugin_only(install, monkeypatch, function, message):
    monkeypatch.delenv(STRICT_VARIABLE, raising=False)
    source = f"from djsandbox import hookimpl\n@hookimpl\n{function}\n"
    install("acme-typo", modules={"acme_typo": source}, entry_points={PLUGINS: {"typo": "acme_typo"}})
    manager = SandboxPluginManager()
    assert message in str(manager.broken["typo"])
    assert "typo" not in manager.names()
    manager.register(Fine(), "fine")
    assert "fine" in manager.names()


def test_a_broken_plugin_is_fatal_to_who_asked_for_strictness(install, monkeypatch):
    monkeypatch.setenv(STRICT_VARIABLE, "1")
    install("acme-bad", modules={"acme_bad": "1/0"}, entry_points={PLUGINS: {"bad": "acme_bad"}})
    with pytest.raises(PluginError, match="plugin 'bad'"):
        SandboxPluginManager()
