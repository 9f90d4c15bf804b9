"""Which trackers a config and the environment ask for: found and checked before anything runs, connected for a run."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from djsandbox.config.document import Document
from djsandbox.config.model import SandboxConfig
from djsandbox.engine.configured import Configured, Kind, configured
from djsandbox.errors import Position, Problem
from djsandbox.plugins.events import RunEvent, Status
from djsandbox.plugins.manager import SandboxPluginManager, is_strict
from djsandbox.watch.feed import TrackerFeed
from djsandbox.watch.tracker import Tracker

TRACKERS_VARIABLE = "DJSANDBOX_TRACKERS"
"""Names of trackers, separated by commas, for all runs."""

_KIND = Kind("trackers", "tracker", Tracker, example="tensorboard")


@dataclass(slots=True)
class TrackedRun:
    """How the run ended, as trackers are told."""

    status: Status = "failed"


def chosen_trackers(config: SandboxConfig, problems: list[Problem]) -> list[Configured]:
    """The trackers that the key `tracker` and DJSANDBOX_TRACKERS ask for; `problems` say what is wrong with them.

    One that both name has the options of the config.
    """
    chosen: list[Configured] = []
    for document in (*_written(config), *_of_environment()):
        one = configured(document, _KIND, config.folder, problems)
        if one is None:
            continue
        if all(one.found_class is not other.found_class for other in chosen):
            chosen.append(one)
        elif not _is_of_environment(document):
            message = f"the tracker '{one.type_name}' is there twice"
            problems.append(Problem(message, document.at(()), "leave one of them out: each mirrors all of the run"))
    return chosen


@contextlib.contextmanager
def tracked(config: SandboxConfig, manager: SandboxPluginManager, run: RunEvent) -> Iterator[TrackedRun]:
    """While open, the trackers of `config` are told of `run`, and at the end waited for as long as they want.

    With DJSANDBOX_STRICT_PLUGINS=1 in the environment what they failed in is raised then.
    """
    feeds = [_feed(one, manager, run) for one in chosen_trackers(config, [])]
    following = TrackedRun()
    for feed in feeds:
        manager.register(feed, feed.name)
    try:
        yield following
    finally:
        for feed in feeds:
            manager.unregister(feed.name)
            feed.end(following.status)
        try:
            until = time.monotonic() + max((feed.patience for feed in feeds), default=0.0)
            for feed in feeds:
                feed.wait(until)
        finally:
            for feed in feeds:
                feed.abandon()  # Ctrl-C, while it waited
    failures = [feed.failure for feed in feeds if feed.failure is not None]
    if failures and is_strict():
        raise failures[0]


def _feed(chosen: Configured, manager: SandboxPluginManager, run: RunEvent) -> TrackerFeed:
    tracker: Tracker = chosen.make()
    tracker.tell = teller(manager)
    return TrackerFeed(tracker, f"tracker '{chosen.type_name}'", run)


def teller(manager: SandboxPluginManager) -> Callable[[str], None]:
    """Shows lines to whoever runs this: by those plugins that show things, else by the log."""

    def tell(text: str) -> None:
        if manager.is_heard("djsandbox_notice"):
            manager.notify("djsandbox_notice", text=text)
        else:
            logging.getLogger("djsandbox.trackers").warning("%s", text)

    return tell


def _written(config: SandboxConfig) -> Iterator[Document]:
    """What the key `tracker` lists."""
    document = config.tracker
    if document is not None and isinstance(document.data, list):
        yield from (document.part((at,)) for at in range(len(document.data)))
    elif document is not None:
        yield document


def _is_of_environment(document: Document) -> bool:
    return document.at(()).file == TRACKERS_VARIABLE


def _of_environment() -> Iterator[Document]:
    """What DJSANDBOX_TRACKERS lists."""
    names = [name.strip() for name in os.environ.get(TRACKERS_VARIABLE, "").split(",")]
    yield from (Document(name, TRACKERS_VARIABLE, {(): Position(TRACKERS_VARIABLE)}) for name in names if name)
