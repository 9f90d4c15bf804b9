"""A model server on loopback, for examples without a key and for tests: it speaks OpenAI's API, and fails where it is told to.

`python -m djsandbox_llm.testing` starts it; `LoopbackServer` is the same in Python.
"""

from __future__ import annotations

from djsandbox_llm.testing.model import reply
from djsandbox_llm.testing.server import LoopbackServer

__all__ = ["LoopbackServer", "reply"]
