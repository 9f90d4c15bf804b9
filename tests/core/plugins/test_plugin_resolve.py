from __future__ import annotations

import sys
from pathlib import Path

import pytest
from djsandbox import BaseDataPoolManipulator, BaseEvaluator
from djsandbox.components.config import ComponentConfig
from djsandbox.errors import PluginError
from djsandbox.plugins.resolve import Resolved, resolve


@pytest.fixture
def found(tmp_path):
    """Resolve an evaluator; local files are relative to `tmp_path`."""

    def resolved(type_name: str | None, group: str = "data_evaluators") -> Resolved:
        return resolve(group, type_name, base=BaseEvaluator, folder=tmp_path)

    return resolved


def answer(resolved: Resolved) -> object:
    return resolved.component_class(ComponentConfig()).run("data")


def two_claimants(install, evaluator):
    for name, value in (("acme-a", 1), ("acme-b", 2)):
        module = name.replace("-", "_")
        install(
            name,
            modules={module: evaluator("Words", value)},
            entry_points={"djsandbox.data_evaluators": {"same": f"{module}:Words"}},
        )


# -- installed plugins -------------------------------------------------------------------------------------------------


def test_a_plain_name_is_an_entry_point_and_brings_the_plugins_version(install, evaluator, found):
    install(
        "acme-words",
        version="4.2",
        modules={"acme_words": evaluator("Words", 7)},
        entry_points={"djsandbox.data_evaluators": {"acme_words": "acme_words:Words"}},
    )
    resolved = found("acme_words")
    assert answer(resolved) == 7
    assert (resolved.group, resolved.type_name) == ("data_evaluators", "acme_words")
    assert (resolved.distribution, resolved.version) == ("acme-words", "4.2")
    assert (resolved.source, resolved.source_digest) == (None, None)


def test_of_two_claimants_the_distribution_before_the_colon_decides(install, evaluator, found):
    two_claimants(install, evaluator)
    with pytest.raises(PluginError, match=r'type: "acme-a:same" or type: "acme-b:same"'):
        found("same")
    assert answer(found("acme-a:same")) == 1
    assert answer(found("acme-b:same")) == 2


@pytest.mark.parametrize("spelling", ["Acme_A", "acme.a", "ACME--A"])
def test_a_distribution_may_be_spelled_as_package_indexes_allow(install, evaluator, found, spelling):
    two_claimants(install, evaluator)
    assert answer(found(f"{spelling}:same")) == 1


def test_a_job_without_a_type_gets_the_default_of_the_group(install, evaluator, found):
    install(
        "acme-words",
        modules={"acme_words": evaluator("Words", 5)},
        entry_points={"acme.counters": {"default": "acme_words:Words"}},
    )
    assert answer(found(None, group="acme.counters")) == 5


def test_two_defaults_are_an_error_that_names_both(install, evaluator, found):
    for name in ("acme-a", "acme-b"):
        install(name, entry_points={"acme.counters": {"default": "acme_words:Words"}})
    with pytest.raises(PluginError, match=r'acme-a 1\.0.*acme-b 1\.0[\s\S]*"acme-a:default" or type: "acme-b:default"'):
        found(None, group="acme.counters")


def test_a_group_without_default_says_what_may_be_named(install, evaluator, found):
    install("acme-words", entry_points={"acme.counters": {"words": "acme_words:Words"}})
    with pytest.raises(PluginError, match=r"no 'type' is given[\s\S]*installed: words"):
        found(None, group="acme.counters")


def test_a_distribution_that_does_not_have_the_name_says_what_it_has(install, evaluator, found):
    two_claimants(install, evaluator)
    with pytest.raises(PluginError, match=r"acme-a 1\.0 has no 'sane'[\s\S]*did you mean 'same'"):
        found("acme-a:sane")


def test_a_name_before_the_colon_that_is_nothing_says_who_claims_the_name(install, evaluator, found):
    two_claimants(install, evaluator)
    with pytest.raises(PluginError, match=r'neither an installed plugin[\s\S]*"acme-a:same" or "acme-b:same"'):
        found("acme-c:same")


def test_an_editable_plugin_brings_its_source_because_its_version_does_not_change(install, evaluator, found):
    groups = {"djsandbox.data_evaluators": {"acme_words": "acme_pkg.words:Words"}}
    folder = install(
        "acme-words",
        modules={"acme_pkg.words": "from acme_pkg.helpers import one\n" + evaluator("Words", 7), "acme_pkg.helpers": "one = 1"},
        entry_points=groups,
        direct_url='{"url": "file:///src", "dir_info": {"editable": true}}',
    )
    first = found("acme_words")
    assert first.source == folder / "acme_pkg" / "words.py"
    (folder / "acme_pkg" / "helpers.py").write_text("one = 2")
    assert found("acme_words").source_digest == first.source_digest, "the code that runs is the code that was imported"
    del sys.modules["acme_pkg.words"], sys.modules["acme_pkg.helpers"]
    assert found("acme_words").source_digest != first.source_digest


# -- local files and modules -------------------------------------------------------------------------------------------


def test_a_local_file_is_relative_to_the_folder_of_the_config(tmp_path, evaluator, found):
    file = tmp_path / "words.py"
    file.write_text(evaluator("Words", 3))
    resolved = found("./words.py:Words")
    assert answer(resolved) == 3
    assert resolved.source == file and resolved.distribution is None
    assert resolved.source_digest is not None
    assert not (tmp_path / "__pycache__").exists()


def test_a_local_file_may_lie_above_or_anywhere(tmp_path, evaluator):
    (tmp_path / "words.py").write_text(evaluator("Words", 3))
    (tmp_path / "below").mkdir()
    for type_name in ("../words.py:Words", f"{tmp_path}/words.py:Words"):
        resolved = resolve("data_evaluators", type_name, base=BaseEvaluator, folder=tmp_path / "below")
        assert answer(resolved) == 3


def test_a_changed_local_file_has_another_digest_and_its_new_code_runs(tmp_path, evaluator, found):
    (tmp_path / "words.py").write_text(evaluator("Words", 3))
    first = found("./words.py:Words")
    (tmp_path / "words.py").write_text(evaluator("Words", 4))  # same size, same second
    second = found("./words.py:Words")
    assert first.source_digest != second.source_digest
    assert (answer(first), answer(second)) == (3, 4)


def test_an_unchanged_local_file_gives_the_same_class_again(tmp_path, evaluator, found):
    (tmp_path / "words.py").write_text(evaluator("Words", 3))
    assert found("./words.py:Words").component_class is found("./words.py:Words").component_class


def test_two_local_files_of_one_name_do_not_clash(tmp_path, evaluator, found):
    for folder, value in (("a", 1), ("b", 2)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "words.py").write_text("from .helper import value\n" + evaluator("Words", value))
        (tmp_path / folder / "helper.py").write_text(f"value = {value}")
    first, second = found("./a/words.py:Words"), found("./b/words.py:Words")
    assert (answer(first), answer(second)) == (1, 2)
    assert sys.modules[first.component_class.__module__].value == 1
    assert sys.modules[second.component_class.__module__].value == 2


LATE = """
from djsandbox import BaseEvaluator

class Late(BaseEvaluator):
    def run(self, eval_type, eval_obj=None, **kwargs):
        from .helper import value
        return value
"""


def test_what_a_local_file_imports_from_beside_it_counts_as_its_source_even_inside_a_method(tmp_path, found):
    (tmp_path / "late.py").write_text(LATE)
    (tmp_path / "helper.py").write_text("from .deeper import value")
    (tmp_path / "deeper.py").write_text("value = 1")
    first = found("./late.py:Late")
    assert answer(first) == 1
    (tmp_path / "deeper.py").write_text("value = 2")
    second = found("./late.py:Late")
    assert first.source_digest != second.source_digest
    assert answer(second) == 2


def test_a_local_file_does_not_make_its_folder_importable(tmp_path, evaluator, found):
    (tmp_path / "acme_helper.py").write_text("value = 1")
    (tmp_path / "words.py").write_text("from acme_helper import value\n" + evaluator("Words", 3))
    with pytest.raises(PluginError, match=r"from \.acme_helper import"):
        found("./words.py:Words")
    assert "acme_helper" not in sys.modules


def test_a_missing_file_or_class_is_answered_with_the_nearest(tmp_path, evaluator, found):
    (tmp_path / "words.py").write_text(evaluator("Words", 3))
    with pytest.raises(PluginError, match=r"no file .*word\.py[\s\S]*did you mean 'words\.py'"):
        found("./word.py:Words")
    with pytest.raises(PluginError, match=r"words\.py has no 'Wordz'[\s\S]*did you mean 'Words'"):
        found("./words.py:Wordz")


@pytest.mark.parametrize("source", ["raise SystemExit", "def f(:", "1/0"])
def test_a_local_file_that_cannot_be_imported_is_an_error_with_its_type(tmp_path, found, source):
    (tmp_path / "bad.py").write_text(source)
    with pytest.raises(PluginError, match=r"\./bad\.py:Bad") as caught:
        found("./bad.py:Bad")
    assert caught.value.__cause__ is not None


def test_a_module_may_be_named_directly_and_brings_its_source(install, evaluator, found):
    folder = install("acme-words", modules={"acme_pkg.words": evaluator("Words", 6), "acme_pkg.__init__": ""})
    resolved = found("acme_pkg.words:Words")
    assert answer(resolved) == 6
    assert resolved.source == folder / "acme_pkg" / "words.py"
    assert resolved.source_digest is not None


def test_a_module_that_is_not_there_is_told_from_one_that_lacks_something(install, found):
    install("acme-words", modules={"acme_pkg.words": "import surely_not_there", "acme_pkg.__init__": ""})
    with pytest.raises(PluginError, match="neither an installed plugin that claims 'Words' nor a module"):
        found("acme_pkg.wrods:Words")
    with pytest.raises(PluginError, match="needs the module 'surely_not_there'"):
        found("acme_pkg.words:Words")


@pytest.mark.parametrize("type_name", [":Words", "./words.py:", ":"])
def test_half_a_reference_is_an_error(tmp_path, found, type_name):
    (tmp_path / "words.py").touch()
    with pytest.raises(PluginError, match="incomplete"):
        found(type_name)


# -- what the class must be --------------------------------------------------------------------------------------------

MISFITS = """
from djsandbox import BaseDataPoolManipulator, BaseEvaluator

class Manipulator(BaseDataPoolManipulator):
    def run(self): ...

class Unfinished(BaseEvaluator):
    pass

class Own: ...

def function(): ...
"""


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "Manipulator",
            r"Manipulator is a BaseDataPoolManipulator, but a BaseEvaluator is needed[\s\S]*data_pool_manipulators",
        ),
        ("Own", r"Own is a class of its own, but a BaseEvaluator[\s\S]*derive it from"),
        ("Unfinished", "does not implement run"),
        ("function", "is a function, not a class"),
    ],
)
def test_a_class_that_does_not_fit_is_told_what_it_is_and_what_is_needed(tmp_path, found, name, message):
    (tmp_path / "misfits.py").write_text(MISFITS)
    with pytest.raises(PluginError, match=message):
        found(f"./misfits.py:{name}")


def test_a_type_of_another_group_is_told_where_it_belongs(install, found):
    install("acme-pools", entry_points={"djsandbox.data_pool_manipulators": {"zigzag": "acme_pools:Zigzag"}})
    with pytest.raises(PluginError, match="'zigzag' is a name of data_pool_manipulators"):
        found("zigzag")


def test_a_job_hooks_own_group_and_base_work_alike(install):
    source = "from djsandbox import BaseDataPoolManipulator\nclass Cut(BaseDataPoolManipulator):\n    def run(self): return 1\n"
    install("acme-cuts", modules={"acme_cuts": source}, entry_points={"acme.cutters": {"cut": "acme_cuts:Cut"}})
    resolved = resolve("acme.cutters", "cut", base=BaseDataPoolManipulator, folder=Path())
    assert resolved.component_class.__name__ == "Cut"
