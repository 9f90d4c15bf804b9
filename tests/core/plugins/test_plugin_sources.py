"""Which files and distributions stand for the source of a component."""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
from pathlib import Path

import djsandbox
import pytest
from djsandbox import BaseEvaluator
from djsandbox.components.config import ComponentConfig
from djsandbox.plugins.resolve import Resolved, resolve
from djsandbox.plugins.sources import source_digest


@pytest.fixture
def library(tmp_path, monkeypatch, install):
    """A folder that PYTHONPATH names; what is imported from it is forgotten after the test, as `install` does."""
    folder = tmp_path / "lib"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    # Two versions of one size within one second would share their bytecode, here as anywhere in Python.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return folder


@pytest.fixture
def site(tmp_path, monkeypatch, install):
    """A folder that an installer fills."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


def wrote(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    importlib.invalidate_caches()
    return file


def digest(file: Path) -> str:
    return source_digest(file, file.stem)


def plain(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def found(folder: Path, type_name: str) -> Resolved:
    return resolve("data_evaluators", type_name, base=BaseEvaluator, folder=folder)


# -- what counts with its content --------------------------------------------------------------------------------------

WORDS = """
from djsandbox import BaseEvaluator

class Words(BaseEvaluator):
    def run(self, eval_type, eval_obj=None, **kwargs):
        import acme_helper
        return acme_helper.value
"""


def test_a_helper_module_on_the_path_counts_as_source_of_the_local_file_that_imports_it(tmp_path, library):
    wrote(tmp_path / "words.py", WORDS)
    wrote(library / "acme_helper.py", "from acme_deeper import value")
    wrote(library / "acme_deeper.py", "value = 1")
    first = found(tmp_path, "./words.py:Words")
    assert first.component_class(ComponentConfig()).run("data") == 1
    wrote(library / "acme_deeper.py", "value = 2")
    del sys.modules["acme_helper"], sys.modules["acme_deeper"]  # as in the next process
    second = found(tmp_path, "./words.py:Words")
    assert first.source_digest != second.source_digest
    assert second.component_class(ComponentConfig()).run("data") == 2


def test_a_base_class_of_another_editable_distribution_counts(tmp_path, install, evaluator):
    base = install(
        "acme-base",
        modules={"acme_base.__init__": "from .words import Words", "acme_base.words": evaluator("Words", 1)},
        direct_url='{"url": "file:///src", "dir_info": {"editable": true}}',
    )
    wrote(tmp_path / "own.py", "import acme_base\nclass Own(acme_base.Words): ...\n")
    before = found(tmp_path, "./own.py:Own").source_digest
    wrote(base / "acme_base" / "words.py", evaluator("Words", 2))
    for name in ("acme_base", "acme_base.words"):
        del sys.modules[name]
    assert found(tmp_path, "./own.py:Own").source_digest != before


def test_packages_on_the_path_are_followed_through_relative_imports_namespaces_and_cycles(tmp_path, library):
    own = wrote(tmp_path / "own.py", "from acme_space.part import run")
    wrote(library / "acme_space" / "part" / "__init__.py", "from .steps import run")
    steps = wrote(library / "acme_space" / "part" / "steps.py", "import acme_space.part\nfrom ..other import run")
    other = wrote(library / "acme_space" / "other.py", "def run(): ...")
    unrelated = wrote(library / "acme_space" / "unrelated.py", "")
    digests = [digest(own)]
    for file in (steps, other):
        wrote(file, file.read_text() + "\n# changed")
        digests.append(digest(own))
    assert len(set(digests)) == 3
    wrote(unrelated, "changed = True")
    assert digest(own) == digests[-1]


def test_nothing_that_is_followed_is_run(tmp_path, library):
    own = wrote(tmp_path / "own.py", "import acme_fatal.inner")
    wrote(library / "acme_fatal" / "__init__.py", "raise SystemExit")
    wrote(library / "acme_fatal" / "inner.py", "raise SystemExit")
    assert digest(own) != plain(own)
    assert not [name for name in sys.modules if name.startswith("acme_fatal")]


def test_an_imported_helper_counts_as_it_was_imported_until_it_is_reloaded(tmp_path, library):
    own = wrote(tmp_path / "own.py", "import acme_helper")
    wrote(library / "acme_helper.py", "value = 1")
    before = digest(own)
    module = importlib.import_module("acme_helper")
    assert digest(own) == before
    wrote(library / "acme_helper.py", "value = 22")
    assert digest(own) == before, "the code that runs is the code that was imported"
    importlib.reload(module)
    assert digest(own) != before


def test_a_helper_that_changed_around_its_import_is_like_neither_state(tmp_path, library):
    own = wrote(tmp_path / "own.py", "import acme_helper")
    wrote(library / "acme_helper.py", "value = 1")
    before = digest(own)
    importlib.import_module("acme_helper")
    wrote(library / "acme_helper.py", "value = 22")
    between = digest(own)
    del sys.modules["acme_helper"]
    after = digest(own)
    assert len({before, between, after}) == 3


# -- what counts with its version, or not at all -----------------------------------------------------------------------


@pytest.mark.parametrize("distribution", ["acme_tools", "PyAcme"], ids=["of the same name", "of another name"])
@pytest.mark.parametrize("record", ["RECORD", "top_level.txt"])
def test_an_installed_distribution_counts_with_its_version_and_not_with_its_files(tmp_path, site, distribution, record):
    own = wrote(tmp_path / "own.py", "import acme_tools")
    code = wrote(site / "acme_tools" / "__init__.py", "")
    line = {"RECORD": "acme_tools/__init__.py,sha256=x,0\n", "top_level.txt": "acme_tools\n"}[record]
    info = site / f"{distribution}-1.0.dist-info"
    wrote(info / record, f"other/file.py,,\n{line}" if record == "RECORD" else line)
    first = digest(own)
    assert first != plain(own)
    wrote(code, "changed = True")
    assert digest(own) == first
    info.rename(site / f"{distribution}-1.1.dist-info")
    os.utime(site, ns=(1, 1))
    assert digest(own) != first


def test_what_an_installer_put_elsewhere_on_the_path_counts_with_its_version_too(tmp_path, library):
    own = wrote(tmp_path / "own.py", "import acme_tools")
    code = wrote(library / "acme_tools.py", "")
    wrote(library / "acme-1.0.dist-info" / "RECORD", "acme_tools.py,,\n")
    first = digest(own)
    wrote(code, "changed = True")
    assert digest(own) == first


def test_parts_of_one_namespace_count_with_the_distribution_that_brings_them(tmp_path, site):
    for part in ("one", "two"):
        wrote(site / "acme_space" / part / "__init__.py", "")
        wrote(site / f"acme_{part}-1.0.dist-info" / "RECORD", f"acme_space/{part}/__init__.py,,\n")
    own = wrote(tmp_path / "own.py", "from acme_space.one import run")
    first = digest(own)
    (site / "acme_two-1.0.dist-info").rename(site / "acme_two-1.1.dist-info")
    os.utime(site, ns=(1, 1))
    assert digest(own) == first
    (site / "acme_one-1.0.dist-info").rename(site / "acme_one-1.1.dist-info")
    os.utime(site, ns=(2, 2))
    assert digest(own) != first


def test_a_file_among_the_installed_that_no_distribution_brings_counts_with_its_content(tmp_path, site):
    own = wrote(tmp_path / "own.py", "import acme_loose")
    loose = wrote(site / "acme_loose.py", "value = 1")
    first = digest(own)
    wrote(loose, "value = 2")
    assert digest(own) != first


def test_a_source_tree_that_is_linked_into_the_installed_counts_with_its_content(tmp_path, site):
    own = wrote(tmp_path / "own.py", "import acme_linked.inner")
    wrote(tmp_path / "src" / "acme_linked" / "__init__.py", "")
    inner = wrote(tmp_path / "src" / "acme_linked" / "inner.py", "value = 1")
    (site / "acme_linked").symlink_to(tmp_path / "src" / "acme_linked")
    wrote(site / "acme_linked-1.0.dist-info" / "RECORD", "acme_linked,,\n")
    first = digest(own)
    wrote(inner, "value = 2")
    assert digest(own) != first


def test_a_file_that_imports_only_the_standard_library_and_what_is_not_there_is_digested_alone(tmp_path):
    own = wrote(tmp_path / "own.py", "import json, os.path, acme_nowhere\nfrom __future__ import annotations")
    assert digest(own) == plain(own)


def test_a_core_in_a_source_tree_does_not_count_and_an_installed_one_counts_with_its_version(tmp_path):
    own = wrote(tmp_path / "own.py", "from djsandbox import BaseEvaluator\nimport djsandbox.components.base")
    is_installed = "site-packages" in Path(djsandbox.__file__).parts
    assert (digest(own) != plain(own)) is is_installed
