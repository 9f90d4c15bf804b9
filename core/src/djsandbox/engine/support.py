"""What a config may say but this version cannot do yet: said before a run, never in the middle of one."""

from __future__ import annotations

from collections.abc import Iterator

from djsandbox.config.model import SandboxConfig
from djsandbox.errors import Problem

_FIX = "take it out to run the pipelines once"


def unsupported(config: SandboxConfig) -> Iterator[Problem]:
    """A problem for each global key that asks for iteration or a search."""
    if config.hpo_config is not None:
        yield Problem("this version cannot run a hyper-parameter search", config.at("hpo_config"), _FIX)
    if config.max_iter_num != 1:
        yield Problem("this version cannot iterate", config.at("max_iter_num"), "set max_iter_num to 1")
    for key in ("iter_targets", "iter_updater"):
        if getattr(config, key):
            yield Problem(f"'{key}' needs iteration, which this version does not have", config.at(key), _FIX)
