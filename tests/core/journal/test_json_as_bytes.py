import json
from typing import Any

import pytest
from djsandbox.journal.json_bytes import json_bytes


def test_texts_stay_readable() -> None:
    assert json_bytes({"数据": ["ü"]}) == '{"数据": ["ü"]}'.encode()


@pytest.mark.parametrize("data", [["a\udcff"], {"a\udcff": "数据"}, "\udc80\U0001f600"])
@pytest.mark.parametrize("indent", [None, 2])
def test_what_utf8_cannot_have_comes_back_as_it_was(data: Any, indent: int | None) -> None:
    assert json.loads(json_bytes(data, indent=indent)) == data
