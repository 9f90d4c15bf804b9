"""Inference by an endpoint, against a real HTTP server on loopback."""

from __future__ import annotations

import json
import time

import pytest
from djsandbox.errors import ConfigError, JobFailed

from .conftest import KEY


def test_each_row_gets_the_answer_to_its_query(lab, serve):
    server = serve()
    lab.pool(
        "pool.jsonl",
        [{"id": 7, "query": "one", "value": 0.1234567890123}, {"id": 8, "query": "zwei: ü", "system": "Be short."}],
    )
    lab.write(model="some-model", sampling_params={"temperature": 0.5})
    (rows,) = lab.run()
    assert rows == [
        {"id": 7, "query": "one", "value": 0.1234567890123, "response": "You said: one"},
        {"id": 8, "query": "zwei: ü", "system": "Be short.", "response": "You said: zwei: ü"},
    ]
    assert (lab.folder / "out/pool_inference.jsonl").is_file()
    by_query = {body["messages"][-1]["content"]: body for body in server.bodies}
    assert by_query["zwei: ü"] == {
        "model": "some-model",
        "temperature": 0.5,
        "messages": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "zwei: ü"}],
    }
