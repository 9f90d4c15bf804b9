"""Reading ahead, in a thread: videos are decoded while the detector works."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def prefetched(items: Iterable[T], at_most: int) -> Iterator[T]:
    """The items, of which `at_most` are made ahead; what making one raises is raised here."""
    made: queue.Queue[tuple[bool, T | BaseException | None]] = queue.Queue(maxsize=at_most)
    is_over = threading.Event()

    def put(has_item: bool, item: T | BaseException | None) -> bool:
        while not is_over.is_set():
            try:
                made.put((has_item, item), timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def make() -> None:
        try:
            for item in items:
                if not put(True, item):
                    return
            put(False, None)
        except BaseException as error:  # raised again where the items are used
            put(False, error)

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    try:
        while True:
            has_item, item = made.get()
            if has_item:
                yield item  # type: ignore[misc]
            elif isinstance(item, BaseException):
                raise item
            else:
                return
    finally:
        is_over.set()
        thread.join()
