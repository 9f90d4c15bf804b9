from __future__ import annotations

import sys
from importlib.metadata import EntryPoints, distributions

import pytest
from djsandbox.engine.diagnosis.installed import known_errors_of
from djsandbox.plugins.doctor import examine
from djsandbox.plugins.index import PluginIndex

GROUP = "djsandbox.data_evaluators"


@pytest.fixture
def examined(install):
    """Examine what one distribution claims, and no other."""

    def of(*names):
        found = [dist for dist in distributions() if dist.metadata["Name"] in names]
        entry_points = EntryPoints(entry_point for dist in found for entry_point in dist.entry_points)
        return {f"{one.claim.distribution}:{one.claim.name}": one for one in examine(PluginIndex(entry_points))}

    return of


def test_a_sound_plugin_has_no_problem_and_no_notes(install, evaluator, examined):
    install(
        "acme",
        modules={"acme_m": evaluator("Words", 1)},
        entry_points={GROUP: {"w": "acme_m:Words"}},
        requires=["djsandbox>=0.1"],
    )
    one = examined("acme")["acme:w"]
    assert one.problem is None and one.notes == () and one.traceback is None


def test_a_broken_import_is_shown_with_its_traceback_and_the_rest_is_examined_all_the_same(install, evaluator, examined):
    install("acme-bad", modules={"acme_bad": "1 / 0"}, entry_points={GROUP: {"bad": "acme_bad:Bad"}})
    install("acme-fine", modules={"acme_fine": evaluator("Words", 1)}, entry_points={GROUP: {"fine": "acme_fine:Words"}})
    found = examined("acme-bad", "acme-fine")
    assert "ZeroDivisionError" in str(found["acme-bad:bad"].problem)
    assert 'acme_bad.py", line 1' in found["acme-bad:bad"].traceback
    assert found["acme-fine:fine"].problem is None


def test_a_wrong_base_class_is_a_problem(install, examined):
    install("acme", modules={"acme_m": "class Words: ..."}, entry_points={GROUP: {"w": "acme_m:Words"}})
    assert "a BaseEvaluator is needed" in str(examined("acme")["acme:w"].problem)


def test_open_groups_are_checked_against_the_bases_that_are_given(install):
    install("acme", modules={"acme_m": "class Words: ..."}, entry_points={"djsandbox.trackers": {"w": "acme_m:Words"}})
    (dist,) = [dist for dist in distributions() if dist.metadata["Name"] == "acme"]
    index = PluginIndex(dist.entry_points)
    assert examine(index)[0].problem is None
    assert "an Exception is needed" in str(examine(index, {"trackers": Exception})[0].problem)


def test_a_pluggy_plugin_with_a_misspelled_hook_is_a_problem(install, examined):
    source = "from djsandbox import hookimpl\n@hookimpl\ndef djsandbox_run_startd(run): ...\n"
    install("acme", modules={"acme_m": source}, entry_points={"djsandbox.plugins": {"p": "acme_m"}})
    assert "did you mean 'djsandbox_run_started'" in str(examined("acme")["acme:p"].problem)


def test_a_config_that_is_no_component_config_is_a_problem(install, evaluator, examined):
    source = evaluator("Words", 1) + "\n    class Config: ...\n"
    install("acme", modules={"acme_m": source}, entry_points={GROUP: {"w": "acme_m:Words"}})
    assert "no ComponentConfig" in str(examined("acme")["acme:w"].problem)


def test_rivals_for_a_name_are_noted_with_what_to_write(install, evaluator, examined):
    for name in ("acme-a", "acme-b"):
        module = name.replace("-", "_")
        install(name, modules={module: evaluator("Words", 1)}, entry_points={GROUP: {"same": f"{module}:Words"}})
    found = examined("acme-a", "acme-b")
    assert 'acme-b 1.0 claims the name, too: a config must say type: "acme-a:same"' in found["acme-a:same"].notes[0]
    assert 'type: "acme-b:same"' in found["acme-b:same"].notes[0]


def test_a_plugin_made_for_another_version_of_the_core_is_a_problem(install, evaluator, examined):
    install(
        "acme",
        modules={"acme_m": evaluator("Words", 1)},
        entry_points={GROUP: {"w": "acme_m:Words"}},
        requires=["djsandbox>=7"],
    )
    assert "needs djsandbox>=7, but djsandbox 0." in str(examined("acme")["acme:w"].problem)


def test_other_unmet_requirements_are_noted_and_extras_are_not(install, evaluator, examined):
    requires = ["surely-not-there>=2", "pluggy>=99", 'nowhere; extra == "gpu"', 'nowhere; python_version < "3"']
    install("acme", modules={"acme_m": evaluator("Words", 1)}, entry_points={GROUP: {"w": "acme_m:Words"}}, requires=requires)
    one = examined("acme")["acme:w"]
    assert one.problem is None
    assert one.notes[0] == "needs surely-not-there>=2, which is not installed"
    assert one.notes[1].startswith("needs pluggy>=99, but pluggy 1.")
    assert len(one.notes) == 2


def test_a_module_that_imports_a_heavy_library_at_its_top_is_noted(install, evaluator, examined, monkeypatch):
    monkeypatch.delitem(sys.modules, "wandb", raising=False)
    source = "import wandb\n" + evaluator("Words", 1)
    install("acme", modules={"acme_m": source, "wandb": ""}, entry_points={GROUP: {"w": "acme_m:Words"}})
    (note,) = examined("acme")["acme:w"].notes
    assert "imports wandb" in note


def test_a_class_without_docstring_is_noted(install, evaluator, examined):
    source = "from djsandbox import BaseEvaluator\nclass Words(BaseEvaluator):\n    def run(self, *a, **k): ...\n"
    install("acme", modules={"acme_m": source}, entry_points={GROUP: {"w": "acme_m:Words"}})
    assert "no docstring" in examined("acme")["acme:w"].notes[0]


def test_what_the_checks_of_a_group_refuse_is_a_problem_with_their_words(install):
    source = "from djsandbox import KnownError\nGOOD = KnownError('a', 'b', 'c', 'd')\nBAD = 'b'\n"
    entry_points = {"djsandbox.known_errors": {"good": "acme_m:GOOD", "bad": "acme_m:BAD"}}
    install("acme", modules={"acme_m": source}, entry_points=entry_points)
    (dist,) = [dist for dist in distributions() if dist.metadata["Name"] == "acme"]
    found = {one.claim.name: one for one in examine(PluginIndex(dist.entry_points), checks={"known_errors": known_errors_of})}
    assert found["good"].problem is None
    assert "holds a value of type 'str', not known errors" in str(found["bad"].problem)
