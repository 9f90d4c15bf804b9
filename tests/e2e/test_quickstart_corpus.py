"""The quickstart's corpus: honest about train and test, careful with what it reads."""

from __future__ import annotations

import importlib.util
import json
import sys
import textwrap
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from djsandbox import ComponentError, JobContext

CORPUS = Path(__file__).parents[2] / "configs" / "quickstart" / "corpus.py"
SUBJECTS = ["bread", "sails", "stars"]


@pytest.fixture(scope="module")
def corpus():
    """The component's module, loaded as the file it is."""
    spec = importlib.util.spec_from_file_location("quickstart_corpus", CORPUS)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def long_text(subject: str, number: int) -> str:
    return f"{subject} number {number}: " + " ".join(f"{subject}{number}word{index}" for index in range(20))


def function(name: str, text: str) -> str:
    return f'def {name}():\n    """{text}"""\n\n'


@pytest.fixture
def site(tmp_path):
    """An empty folder to install made-up distributions in."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    return folder


def install(
    site: Path, name: str, files: dict[str, str | bytes], *, description: str = "", unlisted: tuple[str, ...] = ()
) -> None:
    """Put a distribution there: its files, METADATA, and a RECORD that lists them and what else it is told to."""
    info = f"{name}-1.0.dist-info"
    files = {**files, f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n\n{description}"}
    for path, content in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(content if isinstance(content, bytes) else content.encode())
    listed = [*files, *unlisted, f"{info}/RECORD"]
    (site / info / "RECORD").write_text("".join(f"{path},,\n" for path in listed))


def install_three(site: Path, documents: int = 40) -> None:
    for subject in SUBJECTS:
        half = documents // 2
        modules = {
            f"{subject}/one.py": "".join(function(f"f{i}", long_text(subject, i)) for i in range(half)),
            f"{subject}/two.py": "".join(function(f"f{i}", long_text(subject, i)) for i in range(half, documents)),
        }
        install(site, subject, modules)


@pytest.fixture
def collect(corpus, site, tmp_path):
    """Runs the component on the made-up distributions; returns (training rows, test rows)."""

    def run(folder: str = "out", **settings):
        values = {
            "export_path": str(tmp_path / folder / "train.jsonl"),
            "test_path": str(tmp_path / folder / "test.jsonl"),
            "search_path": str(site),
            "min_documents_per_label": 4,
            "test_size": 15,
            **settings,
        }
        component = corpus.InstalledDocs(corpus.InstalledDocs.Config.model_validate(values)).attach(JobContext())
        paths = component.run()
        assert paths == component.planned_outputs()
        return tuple([json.loads(line) for line in Path(path).read_text().splitlines()] for path in paths)

    return run


def test_every_row_says_its_text_its_label_its_kind_and_where_it_stands(site, collect):
    install_three(site)
    train, test = collect()
    assert len(train) + len(test) == 120
    row = next(row for row in [*train, *test] if row["text"] == long_text("bread", 3))
    assert (row["label"], row["kind"], row["source"]) == ("bread", "docstring", "bread/one.py")


def test_duplicates_never_stand_in_both_training_and_test(site, collect, corpus):
    for subject in SUBJECTS:
        spellings = [str, str.upper, lambda text: text.replace(" ", "\n      "), str]
        sources = {
            f"{subject}/part{number}.py": "".join(function(f"f{i}", spell(long_text(subject, i))) for i in range(20))
            for number, spell in enumerate(spellings)
        }
        install(site, subject, sources)
    train, test = collect()
    tested = [corpus.normalised(row["text"]) for row in test]
    assert len(tested) == 15
    assert len(set(tested)) == 15
    assert set(tested).isdisjoint(corpus.normalised(row["text"]) for row in train)
    assert len(train) == 4 * (60 - 15)


def test_a_text_that_two_labels_share_is_in_no_test_set(site, collect):
    shared = {f"shared{i}": long_text("common", i) for i in range(30)}
    for subject in SUBJECTS:
        own = "".join(function(f"f{i}", long_text(subject, i)) for i in range(12))
        install(site, subject, {f"{subject}/m.py": own + "".join(function(name, text) for name, text in shared.items())})
    train, test = collect()
    assert len(test) == 9  # a quarter of the twelve own texts of each label
    assert not any("common" in row["text"] for row in test)
    assert sum("common" in row["text"] for row in train) == 90


def test_the_test_set_holds_only_docstrings_long_enough_to_be_told_apart(site, collect):
    for subject in SUBJECTS:
        sources = "".join(function(f"f{i}", long_text(subject, i)) + function(f"g{i}", f"Return {i}.") for i in range(20))
        install(site, subject, {f"{subject}/m.py": sources}, description=long_text(subject, 99))
    train, test = collect(test_size=1000)
    assert Counter(row["label"] for row in test) == dict.fromkeys(SUBJECTS, 5)
    assert {row["kind"] for row in test} == {"docstring"}
    assert min(len(row["text"].split()) for row in test) >= 20
    assert any(row["text"] == "Return 3." for row in train)  # what is short is not cleaned away
    assert sum(row["kind"] == "description" for row in train) == 3


def test_sources_are_parsed_and_never_run(site, collect, tmp_path, monkeypatch):
    install_three(site)
    trace = tmp_path / "was-run"
    trap = f'"""{long_text("trap", 0)}"""\nopen({str(trace)!r}, "w").close()\nraise SystemExit\n'
    install(site, "trap", {"trap/__init__.py": trap, "trap/m.py": "".join(function(f"f{i}", f"trap {i}") for i in range(9))})
    monkeypatch.syspath_prepend(str(site))
    before = set(sys.modules)
    train, _ = collect()
    assert any(row["label"] == "trap" for row in train)
    assert not trace.exists()
    assert not {"trap", *SUBJECTS} & (set(sys.modules) - before)


def test_the_cap_holds_and_is_spread_over_the_labels(site, collect):
    install_three(site, documents=60)
    train, test = collect(max_documents=45)
    assert len(train) + len(test) == 45
    assert Counter(row["label"] for row in [*train, *test]) == dict.fromkeys(SUBJECTS, 15)


def test_a_label_that_has_run_out_leaves_its_turns_to_the_others(site, collect):
    install_three(site, documents=40)
    install(site, "tiny", {"tiny/m.py": "".join(function(f"f{i}", long_text("tiny", i)) for i in range(6))})
    train, test = collect(max_documents=60)
    counts = Counter(row["label"] for row in [*train, *test])
    assert counts == {"tiny": 6, **dict.fromkeys(SUBJECTS, 18)}


def test_the_result_does_not_depend_on_the_order_in_which_things_are_found(site, collect, tmp_path, corpus, monkeypatch):
    install_three(site)
    first = collect("first", max_documents=70)
    for record in site.glob("*/RECORD"):
        record.write_text("".join(f"{line}\n" for line in reversed(record.read_text().splitlines())))
    in_order = corpus.metadata.distributions
    monkeypatch.setattr(corpus.metadata, "distributions", lambda **where: reversed(list(in_order(**where))))
    assert collect("second", max_documents=70) == first


def test_whether_a_text_is_tested_depends_on_the_text_and_not_on_the_order(corpus):
    documents = [corpus.Document(long_text(s, i), s, "docstring", "m.py") for s in SUBJECTS for i in range(30)]
    forwards = corpus.choose_test_set(documents, 15, seed=1)
    assert corpus.choose_test_set(documents[::-1], 15, seed=1) == forwards
    assert corpus.choose_test_set(documents, 15, seed=2) != forwards


def test_the_rows_are_shuffled_and_the_same_each_time(site, collect):
    install_three(site)
    train, _ = collect("first")
    assert collect("second")[0] == train
    labels = [row["label"] for row in train]
    assert sum(one != other for one, other in pairwise(labels)) > len(labels) // 3


def test_copies_of_other_projects_are_left_out(site, collect):
    install_three(site)
    copied = function("f", "somebody else's words")
    places = ["_vendor", "vendored", "externals", "_external", "third_party", "extern"]
    install(
        site,
        "host",
        {f"host/{place}/m.py": copied for place in places}
        | {"host/m.py": "".join(function(f"f{i}", f"host text {i}") for i in range(9))},
    )
    train, test = collect()
    assert any(row["label"] == "host" for row in train)
    assert not any("somebody" in row["text"] for row in [*train, *test])


def test_files_that_cannot_be_read_are_passed_over(site, collect):
    install_three(site)
    good = "".join(function(f"f{i}", f"odd text {i}") for i in range(9))
    install(
        site,
        "odd",
        {
            "odd/good.py": good,
            "odd/latin.py": '"""caf\xe9"""'.encode("latin-1"),
            "odd/broken.py": '"""half of a\ndef (:',
            "odd/zeros.py": b'"""x"""\x00',
            "odd/deep.py": '"""deep"""\nx = ' + "(" * 5000 + ")" * 5000,
            "odd/half.py": 'def f():\n    """half a \\ud800 character"""\n',
        },
        unlisted=("odd/gone.py", "../../bin/odd", "/etc/hostname.py"),
    )
    train, test = collect()
    assert {row["text"] for row in [*train, *test] if row["label"] == "odd"} == {f"odd text {i}" for i in range(9)}


def test_docstrings_are_found_wherever_definitions_may_stand(corpus):
    source = textwrap.dedent('''
        """module"""
        class A:
            """class"""
            def f(self):
                """method"""
                async def g():
                    """inner"""
        try:
            def h():
                """tried"""
        except ImportError:
            def h():
                """excepted"""
        if True:
            pass
        else:
            with open("x"):
                class B:
                    """else"""
        def quiet():
            x = """no docstring"""
    ''')
    assert set(corpus.docstrings(source)) == {"module", "class", "method", "inner", "tried", "excepted", "else"}


def test_descriptions_and_licences_come_in_passages(site, collect):
    install_three(site)
    paragraphs = "\n\n".join(f"paragraph {i} " + "word " * 100 for i in range(12))
    install(
        site,
        "wordy",
        {
            "wordy/m.py": "".join(function(f"f{i}", f"wordy {i}") for i in range(9)),
            "wordy-1.0.dist-info/licenses/LICENSE.txt": paragraphs,
        },
        description=paragraphs,
    )
    train, _ = collect()
    for kind, source in (("description", "METADATA"), ("licence", "LICENSE.txt")):
        found = [row for row in train if row["label"] == "wordy" and row["kind"] == kind]
        assert len(found) > 2
        assert all(len(row["text"]) < 2500 and row["source"].endswith(source) for row in found)
        assert sum(row["text"].count("paragraph") for row in found) == 12


def test_the_content_key_sees_the_records_of_what_is_installed(site, corpus):
    install_three(site)
    config = corpus.InstalledDocs.Config(export_path="train.jsonl", test_path="test.jsonl", search_path=str(site))
    assert sorted(corpus.InstalledDocs(config).referenced_files()) == [
        str(site / f"{subject}-1.0.dist-info" / "RECORD") for subject in SUBJECTS
    ]


def test_our_own_packages_are_no_labels(site, collect):
    install_three(site)
    install(site, "djsandbox-extra", {"extra/m.py": "".join(function(f"f{i}", long_text("own", i)) for i in range(40))})
    train, test = collect()
    assert {row["label"] for row in [*train, *test]} == set(SUBJECTS)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_documents_per_label": 1000}, "fewer than two distributions have 1000 documents"),
        ({"max_documents": 5}, "max_documents is 5, but 3 labels .* need 12"),
        ({"test_size": 2}, "no docstring .* fit for the test set"),
    ],
)
def test_what_cannot_work_is_an_error_that_says_what_to_change(site, collect, settings, message):
    install_three(site)
    with pytest.raises(ComponentError, match=message):
        collect(**settings)


def test_this_very_installation_gives_a_corpus_to_learn_from(corpus, tmp_path):
    config = corpus.InstalledDocs.Config(
        export_path=str(tmp_path / "train.jsonl"), test_path=str(tmp_path / "test.jsonl"), max_documents=1200, max_labels=8
    )
    train, test = (Path(path).read_text().splitlines() for path in corpus.InstalledDocs(config).attach(JobContext()).run())
    assert len(train) > 600
    assert len(test) > 100
    assert len({json.loads(row)["label"] for row in test}) >= 5
