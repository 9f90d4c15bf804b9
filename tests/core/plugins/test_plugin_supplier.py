"""What of a supplying plugin enters the content key, and what a resumed run makes of it."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import djsandbox
import pytest
from djsandbox import BaseEvaluator, hookimpl
from djsandbox.components.config import ComponentConfig
from djsandbox.components.context import JobContext
from djsandbox.context.infos import ContextInfos
from djsandbox.engine.api import planned
from djsandbox.engine.placement import Placement
from djsandbox.engine.prepare import Iteration, PreparedJob, Preparer
from djsandbox.journal.fingerprint import Fingerprints
from djsandbox.plugins.manager import SandboxPluginManager

SUPPLYING = """
from djsandbox import BaseEvaluator, hookimpl

class Mine(BaseEvaluator):
    def run(self, eval_type, eval_obj=None, **kwargs):
        return {answer}

@hookimpl
def djsandbox_make_evaluator(config):
    return Mine(config)
"""
PLUGINS = {"djsandbox.plugins": {"acme": "acme_supply"}}
EDITABLE = '{"url": "file:///src", "dir_info": {"editable": true}}'


class Selected(BaseEvaluator):
    def run(self, eval_type, eval_obj=None, **kwargs):
        return 0


def supplier(manager: SandboxPluginManager):
    return manager.make("evaluator", "data_evaluators", Selected, ComponentConfig())[1]


def registered(name: str):
    """Who supplies, when the module is registered by hand in a new process."""
    sys.modules.pop(name, None)
    importlib.invalidate_caches()
    manager = SandboxPluginManager()
    manager.register(importlib.import_module(name), "acme")
    return supplier(manager)


def test_an_installed_plugin_counts_with_its_version(install):
    install("acme-supply", version="4.2", modules={"acme_supply": SUPPLYING.format(answer=1)}, entry_points=PLUGINS)
    assert supplier(SandboxPluginManager()).as_data() == ["acme", "acme-supply", "4.2", None]


def test_an_editable_plugin_counts_with_its_version_and_its_source(install):
    code = {"acme_supply": SUPPLYING.format(answer=1)}
    install("acme-supply", version="4.2", modules=code, entry_points=PLUGINS, direct_url=EDITABLE)
    found = supplier(SandboxPluginManager())
    assert (found.distribution, found.version) == ("acme-supply", "4.2") and found.source_digest


def test_a_plugin_of_the_same_name_with_other_code_is_another_supplier(install):
    folder = install("acme-supply", modules={"acme_supply": SUPPLYING.format(answer=1)})
    first = registered("acme_supply")
    again = registered("acme_supply")
    (folder / "acme_supply.py").write_text(SUPPLYING.format(answer=22))
    second = registered("acme_supply")
    assert first == again and first.name == second.name
    assert first.source_digest != second.source_digest


def test_the_file_of_a_supplied_class_counts_though_the_plugin_imports_it_by_a_computed_name(install):
    plugin = """
import importlib
from djsandbox import hookimpl

@hookimpl
def djsandbox_make_evaluator(config):
    return importlib.import_module("acme_" + "parts").Mine(config)
"""
    folder = install("acme-supply", modules={"acme_supply": plugin, "acme_parts": SUPPLYING.format(answer=1)})
    first = registered("acme_supply")
    (folder / "acme_parts.py").write_text(SUPPLYING.format(answer=22))
    sys.modules.pop("acme_parts")
    assert registered("acme_supply").source_digest != first.source_digest


# -- resumed runs ------------------------------------------------------------------------------------------------------

PARTS = """
from pathlib import Path
from djsandbox import BaseDataExecutor, ComponentConfig, OutputPath

class Write(BaseDataExecutor):
    deterministic = True

    class Config(ComponentConfig):
        export_path: OutputPath
        text: str = "a"

    def run(self):
        with open("calls.log", "a") as log:
            log.write(self.config.text)
        Path(self.config.export_path).write_text(self.config.text)
        return self.config.export_path
"""
SUPPLYING_EXECUTOR = """
from djsandbox import hookimpl

@hookimpl
def djsandbox_make_executor(component_class, config):
    return component_class(config.model_copy(update={{"text": {text!r}[:1]}}))
"""


class InPlace:
    """Gives back the component it was given, with another text in its config."""

    def __init__(self, text: str) -> None:
        self.text = text

    @hookimpl(wrapper=True)
    def djsandbox_make_executor(self):
        component = yield
        component.config = component.config.model_copy(update={"text": self.text})
        return component


@pytest.fixture
def ran(tmp_path, monkeypatch, install):
    """Run the one job, resuming; gives what was newly written."""
    monkeypatch.chdir(tmp_path)
    Path("parts.py").write_text(PARTS)

    def run(plugin: object) -> str:
        job = {"hook": "GeneralDataExecutorHook", "extra_configs": {"type": "./parts.py:Write", "export_path": "out/a.txt"}}
        Path("sandbox.yaml").write_text(json.dumps({"execution_job_configs": [job]}))
        djsandbox.run("sandbox.yaml", resume=True, plugins={"acme": plugin})
        log = Path("calls.log")
        calls = log.read_text() if log.exists() else ""
        log.unlink(missing_ok=True)
        return calls

    return run


def test_a_job_runs_again_when_the_plugin_that_supplies_its_component_has_other_code_under_its_name(ran, install):
    folder = install("acme-supply", modules={"acme_supply": SUPPLYING_EXECUTOR.format(text="b")})
    assert ran(importlib.import_module("acme_supply")) == "b"
    assert ran(importlib.import_module("acme_supply")) == ""
    (folder / "acme_supply.py").write_text(SUPPLYING_EXECUTOR.format(text="bb"))  # the config it gives is the same
    del sys.modules["acme_supply"]
    importlib.invalidate_caches()
    assert ran(importlib.import_module("acme_supply")) == "b"


def test_a_job_runs_again_when_a_wrapper_changes_its_component_in_place_in_another_way(ran):
    assert ran(InPlace("b")) == "b"
    assert ran(InPlace("b")) == ""
    assert ran(InPlace("c")) == "c"


def test_where_an_iteration_places_the_outputs_of_a_supplied_component_does_not_enter_its_key(ran, tmp_path):
    ran(InPlace("b"))
    manager = SandboxPluginManager()
    manager.register(InPlace("b"), "acme")
    (job,) = planned("sandbox.yaml").jobs

    def prepared(number: int) -> PreparedJob:
        preparer = Preparer(tmp_path, manager, Fingerprints(), Placement(iteration=number))
        return preparer.prepare(job, Iteration(number, ContextInfos()), JobContext())

    first, second = prepared(1), prepared(2)
    assert first.key == second.key
    (component,) = second.components
    assert component.config.export_path == "out/iter_2/a.txt", "but that is where it writes"
