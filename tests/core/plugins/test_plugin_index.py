from __future__ import annotations

import importlib.metadata
import sys
from importlib.metadata import EntryPoints, PathDistribution

import pytest
from djsandbox.errors import PluginError
from djsandbox.plugins.groups import FACTORIES, GROUP_PREFIX
from djsandbox.plugins.index import PluginIndex, plugin_index


def test_a_claim_tells_which_distribution_and_version_it_comes_from(install):
    install("acme-words", version="2.1", entry_points={"djsandbox.data_evaluators": {"acme_words": "acme_words:Words"}})
    claim = plugin_index().find("data_evaluators", "acme_words")
    assert (claim.group, claim.name, claim.value) == ("data_evaluators", "acme_words", "acme_words:Words")
    assert (claim.distribution, claim.version) == ("acme-words", "2.1")


def test_a_group_may_be_given_short_or_in_full(install):
    install("acme-words", entry_points={"djsandbox.data_evaluators": {"acme_words": "acme_words:Words"}})
    index = plugin_index()
    assert index.claims("data_evaluators") == index.claims("djsandbox.data_evaluators")
    assert "acme_words" in index.names("djsandbox.data_evaluators")


@pytest.mark.parametrize("group", ["djsandbox.acme_shapes", "acme.shapes", "acmeshapes"])
def test_groups_of_third_parties_are_found_under_their_own_names(install, group):
    install("acme-shapes", entry_points={group: {"round": "acme_shapes:Round"}})
    assert plugin_index().names(group) == ("round",)


def test_everything_is_answered_from_one_scan(install, monkeypatch):
    install("acme-words", entry_points={"djsandbox.data_evaluators": {"acme_words": "acme_words:Words"}})
    scans = []
    real = importlib.metadata.entry_points
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda: scans.append(1) or real())
    for group in FACTORIES:
        plugin_index().claims(group)
    plugin_index().distributions()
    assert len(scans) == 1


def test_the_metadata_of_a_distribution_that_claims_nothing_of_ours_is_never_read(install, monkeypatch):
    install("acme-words", entry_points={"djsandbox.data_evaluators": {"acme_words": "acme_words:Words"}})
    install("bystander", entry_points={"console_scripts": {"bystander": "bystander:main"}})
    read = []
    real = PathDistribution.read_text
    monkeypatch.setattr(
        PathDistribution, "read_text", lambda self, name: read.append(f"{self._path}/{name}") or real(self, name)
    )
    assert "acme-words" in plugin_index().distributions()
    names = [path for path in read if path.endswith("METADATA")]
    assert any("acme_words" in path for path in names)
    assert not any("bystander" in path for path in names)
    assert len(names) == len(set(names))


def test_distributions_lists_every_claim_of_those_that_claim_something(install):
    groups = {
        "djsandbox.data_evaluators": {"a": "acme:A"},
        "djsandbox.trackers": {"b": "acme:B"},
        "console_scripts": {"c": "acme:c"},
    }
    install("acme", version="3", entry_points=groups)
    version, claims = plugin_index().distributions()["acme"]
    assert version == "3"
    assert [(claim.group, claim.name) for claim in claims] == [("data_evaluators", "a"), ("trackers", "b")]


def test_indexing_imports_no_plugin(install):
    install(
        "acme-loud", modules={"acme_loud": "raise RuntimeError"}, entry_points={"djsandbox.trackers": {"loud": "acme_loud:X"}}
    )
    assert "loud" in plugin_index().names("trackers")
    assert "acme_loud" not in sys.modules


def test_two_claimants_of_a_name_are_both_named_with_the_type_that_means_each(install):
    install("acme-a", version="1.0", entry_points={"djsandbox.trackers": {"same": "acme_a:A"}})
    install("acme-b", version="2.0", entry_points={"djsandbox.trackers": {"same": "acme_b:B"}})
    with pytest.raises(PluginError) as caught:
        plugin_index().find("trackers", "same")
    message = str(caught.value)
    assert "acme-a 1.0" in message and "acme-b 2.0" in message
    assert 'type: "acme-a:same"' in message and 'type: "acme-b:same"' in message


def test_a_distribution_that_claims_a_name_twice_is_told_apart_by_the_classes(install):
    folder = install("acme-a", entry_points={"djsandbox.trackers": {"same": "acme_a:A"}})
    entry_points = folder / "acme_a-1.0.dist-info" / "entry_points.txt"
    entry_points.write_text("[djsandbox.trackers]\nsame = acme_a:A\nsame = acme_a:B\n")
    plugin_index.cache_clear()
    with pytest.raises(PluginError, match=r'type: "acme_a:A" or type: "acme_a:B"'):
        plugin_index().find("trackers", "same")


def test_an_index_of_nothing_is_empty():
    index = PluginIndex(EntryPoints())
    assert index.groups() == () and index.claims("trackers") == () and index.distributions() == {}


def test_each_factory_names_a_contract_that_exists():
    assert len(FACTORIES) == 10
    for group, factory in FACTORIES.items():
        assert factory.group == group and not group.startswith(GROUP_PREFIX)
        assert isinstance(factory.base_class(), type)
