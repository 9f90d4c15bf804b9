from __future__ import annotations

import importlib.util
import json
import sys
from importlib.metadata import EntryPoints
from pathlib import Path

import pytest
from djsandbox.errors import PluginError
from djsandbox.plugins import catalogue as catalogue_module
from djsandbox.plugins.catalogue import CATALOGUE_FILE, catalogue, known_types
from djsandbox.plugins.groups import FACTORIES, OPEN_GROUPS
from djsandbox.plugins.index import PluginIndex, plugin_index
from djsandbox.plugins.suggestions import no_default

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def make_catalogue():
    spec = importlib.util.spec_from_file_location("djsandbox_make_catalogue", ROOT / "tools" / "make_catalogue.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_catalogue_is_what_its_generator_makes_of_the_workspace(make_catalogue):
    stale = CATALOGUE_FILE.read_text(encoding="utf-8") != make_catalogue.rendered()
    assert not stale, f"run: {Path(sys.executable).name} tools/make_catalogue.py"


def test_every_type_is_in_a_group_that_exists_and_is_described():
    for known in catalogue():
        assert known.group in {*FACTORIES, *OPEN_GROUPS}, known
        assert known.package == "djsandbox" or known.package.startswith("djsandbox-"), known
        assert known.description, known


def test_a_workspace_type_takes_the_place_of_a_planned_one(make_catalogue):
    types = [(entry["group"], entry["type"]) for entry in make_catalogue.all_types()]
    assert len(types) == len(set(types))


def test_the_first_line_of_the_docstring_describes_a_type(make_catalogue, tmp_path):
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "words.py").write_text('class Words:\n    """Counts words.\n\n    More.\n    """\n\nclass Bare: ...\n')
    assert make_catalogue.summary(tmp_path, "pkg.words:Words") == "Counts words."
    assert make_catalogue.summary(tmp_path, "pkg.words:Bare") is None
    assert make_catalogue.summary(tmp_path, "pkg.nowhere:Words") is None


FAR = {"group": "model_train_executors", "type": "far_trainer", "package": "djsandbox-far", "description": "Trains far away."}


@pytest.fixture
def absent(tmp_path, monkeypatch):
    """A catalogued factory type of a package that is not installed, whichever packages the workspace has."""
    known = json.loads(CATALOGUE_FILE.read_text(encoding="utf-8"))
    (tmp_path / "catalogue.json").write_text(json.dumps([*known, FAR]), encoding="utf-8")
    monkeypatch.setattr(catalogue_module, "CATALOGUE_FILE", tmp_path / "catalogue.json")
    catalogue.cache_clear()
    yield next(known for known in catalogue() if known.package == "djsandbox-far")
    catalogue.cache_clear()


def test_a_type_of_a_known_package_that_is_missing_says_what_to_install(absent):
    with pytest.raises(PluginError) as caught:
        plugin_index().find(absent.group, absent.type)
    problem = caught.value.problems[0]
    assert problem.message == (f"type '{absent.type}' of {absent.group} comes with {absent.package}, which is not installed")
    assert problem.fix == f"pip install {absent.package}"


def test_a_package_that_is_installed_without_the_type_is_not_promised_but_to_be_upgraded(install, absent):
    install(absent.package, version="0.0.7")
    with pytest.raises(PluginError) as caught:
        plugin_index().find(absent.group, absent.type)
    problem = caught.value.problems[0]
    assert problem.message.endswith(f"comes with {absent.package}, but the installed version 0.0.7 lacks it")
    assert problem.fix == f"pip install --upgrade {absent.package}"


def test_a_misspelled_type_of_a_missing_package_is_answered_with_both(absent):
    with pytest.raises(PluginError) as caught:
        plugin_index().find(absent.group, absent.type + "x")
    fix = caught.value.problems[0].fix
    assert f"did you mean '{absent.type}'?" in fix and f"pip install {absent.package}" in fix


def test_a_misspelled_installed_type_is_answered_with_the_nearest(install):
    install("acme-words", entry_points={"djsandbox.data_evaluators": {"zebra_stripes": "acme:Z"}})
    with pytest.raises(PluginError, match=r"unknown type 'zebra_stripe' of data_evaluators[\s\S]*did you mean 'zebra_stripes'"):
        plugin_index().find("data_evaluators", "zebra_stripe")


def test_a_name_like_nothing_else_is_answered_with_all_that_is_installed(install):
    install("acme-words", entry_points={"acme.counters": {"words": "acme:W", "lines": "acme:L"}})
    with pytest.raises(PluginError, match="installed: lines, words"):
        plugin_index().find("acme.counters", "qqqq")


def test_a_group_of_nobody_says_so():
    with pytest.raises(PluginError, match="no installed plugin has any of this group"):
        plugin_index().find("acme.nothing", "x")


def test_a_missing_default_names_the_package_that_brings_it(monkeypatch):
    assert known_types("data_executors")["default"].package == "djsandbox-datajuicer"
    monkeypatch.setattr(sys, "path", [])  # as if nothing were installed
    problem = no_default("data_executors", PluginIndex(EntryPoints())).problems[0]
    assert problem.message.endswith("it comes with djsandbox-datajuicer")
    assert problem.fix == "pip install djsandbox-datajuicer"


def test_other_groups_use_their_own_word():
    with pytest.raises(PluginError, match=r"unknown job hook 'TrainModlHook'[\s\S]*did you mean 'TrainModelHook'"):
        plugin_index().find("job_hooks", "TrainModlHook")
