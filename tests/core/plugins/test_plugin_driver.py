from __future__ import annotations

import os
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from djsandbox.errors import PluginError
from djsandbox.plugins.driver import load
from djsandbox.plugins.index import plugin_index


def test_the_object_that_the_claim_names_is_loaded(install, evaluator):
    install(
        "acme-words",
        modules={"acme_words": evaluator("Words", 7)},
        entry_points={"djsandbox.data_evaluators": {"acme_words": "acme_words:Words"}},
    )
    loaded = load(plugin_index().find("data_evaluators", "acme_words"))
    assert loaded.__name__ == "Words"


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("raise SystemExit(3)", SystemExit),
        ("raise ValueError('no licence')", ValueError),
        ("assert False", AssertionError),
        ("import surely_not_there", ModuleNotFoundError),
        ("def f(:", SyntaxError),
        ("class Own(BaseException): ...\nraise Own", BaseException),
    ],
)
def test_whatever_an_import_raises_becomes_an_error_with_the_plugins_name_and_traceback(install, source, cause):
    install("acme-bad", version="9", modules={"acme_bad": source}, entry_points={"djsandbox.trackers": {"bad": "acme_bad:Bad"}})
    with pytest.raises(PluginError, match=r"tracker 'bad'.*acme-bad 9") as caught:
        load(plugin_index().find("trackers", "bad"))
    assert isinstance(caught.value.__cause__, cause)
    assert "acme_bad.py" in "".join(traceback.format_exception(caught.value.__cause__))


def test_a_keyboard_interrupt_passes(install):
    install(
        "acme-bad", modules={"acme_bad": "raise KeyboardInterrupt"}, entry_points={"djsandbox.trackers": {"bad": "acme_bad:B"}}
    )
    with pytest.raises(KeyboardInterrupt):
        load(plugin_index().find("trackers", "bad"))


def test_a_plugin_that_ends_the_interpreter_hurts_only_who_uses_it(install, evaluator):
    group = {"djsandbox.data_evaluators": {"acme_exits": "acme_exits:Exits"}}
    install("acme-exits", modules={"acme_exits": "import sys; sys.exit('bye')"}, entry_points=group)
    group = {"djsandbox.data_evaluators": {"acme_fine": "acme_fine:Fine"}}
    install("acme-fine", modules={"acme_fine": evaluator("Fine", 1)}, entry_points=group)
    with pytest.raises(PluginError, match="SystemExit: bye"):
        load(plugin_index().find("data_evaluators", "acme_exits"))
    assert load(plugin_index().find("data_evaluators", "acme_fine")).__name__ == "Fine"


def test_a_missing_class_is_answered_with_the_nearest_one(install, evaluator):
    install(
        "acme-words",
        modules={"acme_words": evaluator("Words", 1)},
        entry_points={"djsandbox.data_evaluators": {"w": "acme_words:Word"}},
    )
    with pytest.raises(PluginError, match="did you mean 'Words'"):
        load(plugin_index().find("data_evaluators", "w"))


def test_a_missing_module_of_a_plugin_is_named(install):
    install("acme-bad", modules={"acme_bad": "import torchy"}, entry_points={"djsandbox.trackers": {"bad": "acme_bad:B"}})
    with pytest.raises(PluginError, match="needs the module 'torchy'"):
        load(plugin_index().find("trackers", "bad"))


def test_an_entry_point_that_is_no_reference_at_all_is_an_error_with_its_name(install):
    install("acme-bad", entry_points={"djsandbox.trackers": {"bad": "not a reference"}})
    with pytest.raises(PluginError, match="tracker 'bad'"):
        load(plugin_index().find("trackers", "bad"))


USE_ONE = """
import sys
from djsandbox.plugins.driver import load
from djsandbox.plugins.index import plugin_index
load(plugin_index().find("data_evaluators", "one"))
assert "acme_one" in sys.modules
assert "acme_two" not in sys.modules, "another plugin was imported"
others = [m for m in sys.modules if m.startswith("djsandbox_")]
assert not others, others
"""


def in_a_process_of_its_own(code: str, path: list[Path], **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), **variables}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


def test_loading_one_class_imports_no_other_plugin_and_leaves_nothing_in_stevedores_cache(install, evaluator, tmp_path):
    names = {"one": "acme_one", "two": "acme_two"}
    folders = [
        install(
            f"acme-{name}",
            modules={module: evaluator("Words", 1)},
            entry_points={"djsandbox.data_evaluators": {name: f"{module}:Words"}},
        )
        for name, module in names.items()
    ]
    cache = tmp_path / "cache"
    done = in_a_process_of_its_own(USE_ONE, folders, XDG_CACHE_HOME=str(cache), HOME=str(tmp_path / "home"))
    assert done.returncode == 0, done.stderr
    assert not cache.exists()
    assert not (tmp_path / "home").exists()


def test_a_reinstalled_distribution_is_seen_at_once(install, evaluator, tmp_path):
    groups = {"djsandbox.data_evaluators": {"one": "acme_one:Words"}}
    folder = install("acme-one", modules={"acme_one": evaluator("Words", 1)}, entry_points=groups)
    code = "from djsandbox.plugins.index import plugin_index; print(plugin_index().names('data_evaluators'))"
    assert "'one'" in in_a_process_of_its_own(code, [folder], XDG_CACHE_HOME=str(tmp_path / "cache")).stdout
    (folder / "acme_one-1.0.dist-info" / "entry_points.txt").write_text("[djsandbox.data_evaluators]\nuno = acme_one:Words\n")
    assert "'uno'" in in_a_process_of_its_own(code, [folder], XDG_CACHE_HOME=str(tmp_path / "cache")).stdout


def test_reading_the_index_imports_neither_stevedore_nor_pluggy_nor_pydantic():
    code = (
        "import sys; from djsandbox.plugins.index import plugin_index; plugin_index().distributions(); "
        "print({'stevedore', 'pluggy', 'pydantic', 'yaml'} & set(sys.modules))"
    )
    assert in_a_process_of_its_own(code, []).stdout.strip() == "set()"
