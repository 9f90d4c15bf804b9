"""What a user can write or implement is in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import djsandbox
import pytest
from djsandbox.components.base import Component
from djsandbox.config.model import DEFAULT_STAGES
from djsandbox.config.schema import GlobalShape, JobShape
from djsandbox.plugins import hookspecs
from djsandbox.plugins.driver import load
from djsandbox.plugins.groups import FACTORIES, OPEN_GROUPS
from djsandbox.plugins.index import plugin_index
from djsandbox.plugins.manager import STRICT_VARIABLE

DOCS = Path(__file__).resolve().parents[2] / "docs"
CONFIGURATION = (DOCS / "guide" / "configuration.md").read_text(encoding="utf-8")
PLUGIN_GUIDE = "\n".join(path.read_text(encoding="utf-8") for path in sorted((DOCS / "plugins").glob("*.md")))


@pytest.mark.parametrize("key", [*GlobalShape.model_fields, *JobShape.model_fields])
def test_the_config_reference_has_every_key(key: str) -> None:
    assert f"`{key}`" in CONFIGURATION


@pytest.mark.parametrize("key", ["project_name", "experiment_name"])
def test_the_config_reference_has_the_defaults(key: str) -> None:
    assert f"| `{key}` | `{GlobalShape.model_fields[key].default}` |" in CONFIGURATION


def test_the_config_reference_has_the_stages_in_their_order() -> None:
    assert f"[{', '.join(DEFAULT_STAGES)}]" in CONFIGURATION


def test_the_config_reference_has_every_job_hook_of_the_core() -> None:
    for claim in plugin_index().claims("job_hooks"):
        if claim.distribution == "djsandbox":
            assert f"| `{claim.name}` |" in CONFIGURATION


@pytest.mark.parametrize("group", [*FACTORIES, *OPEN_GROUPS])
def test_the_plugin_guide_has_every_entry_point_group(group: str) -> None:
    assert f"`{group}`" in PLUGIN_GUIDE


@pytest.mark.parametrize("factory", FACTORIES.values(), ids=FACTORIES)
def test_the_plugin_guide_says_what_feeds_a_component_and_what_it_extends(factory: object) -> None:
    group, base, feeds = factory.group, factory.base.partition(":")[2], factory.feeds  # type: ignore[attr-defined]
    assert re.search(rf"^\| `{base}` \|.*\| `{group}` \|.*\| `{feeds}` \|$", PLUGIN_GUIDE, re.MULTILINE)


@pytest.mark.parametrize("hook", [name for name in dir(hookspecs) if name.startswith("djsandbox_")])
def test_the_plugin_guide_has_every_hook_with_its_arguments(hook: str) -> None:
    function = getattr(hookspecs, hook)
    arguments = ", ".join(function.__code__.co_varnames[: function.__code__.co_argcount])
    assert f"`{hook}({arguments})`" in PLUGIN_GUIDE


def test_the_plugin_guide_has_everything_a_component_may_declare_or_override() -> None:
    for name, value in vars(Component).items():
        if not name.startswith("_") and name != "Config":
            assert f"`{name}" in PLUGIN_GUIDE or f"self.{name}" in PLUGIN_GUIDE, (name, value)


def test_the_plugin_guide_has_the_variable_that_makes_plugin_errors_fatal() -> None:
    assert f"{STRICT_VARIABLE}=1" in PLUGIN_GUIDE


@pytest.mark.parametrize("name", [name for name in djsandbox.__all__ if name[0].isupper()])
def test_the_documentation_has_every_public_class(name: str) -> None:
    pages = [path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md")]
    assert re.search(rf"\b{name}\b", "\n".join(pages))


@pytest.mark.parametrize("distribution", ["djsandbox-pools", "djsandbox-sklearn"])
def test_every_key_of_every_component_is_described_in_one_line(distribution: str) -> None:
    claims = [claim for group in FACTORIES for claim in plugin_index().claims(group) if claim.distribution == distribution]
    described = {
        f"{claim.name}.{name}": info.description or ""
        for claim in claims
        for name, info in load(claim).Config.model_fields.items()
    }
    assert len(described) > 10
    assert not [key for key, text in described.items() if not text or "\n" in text]
