"""Which texts count as secrets of a config or an environment, and in what spellings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from djsandbox.redact import secrets_in, secrets_in_environment


@pytest.mark.parametrize(
    ("data", "secrets"),
    [
        ({"api_key": "abcdef"}, {"abcdef"}),
        ({"jobs": [{"hf": {"token": "abcdef"}}]}, {"abcdef"}),
        ({"secrets": {"a": ["abcdef", 123456], "b": None}}, {"abcdef", "123456"}),
        ({"text_key": "content", "max_tokens": 123456}, set()),
        ({"password": "short"}, set()),
        ({"index": "https://me:my-password@host/simple"}, {"my-password"}),
        ({"urls": ["http://a:first-one@b", "x http://c:second-one@d"]}, {"first-one", "second-one"}),
        ({"url": "https://host/path", "at": "me@host"}, set()),
    ],
)
def test_what_redact_hides_is_a_secret_where_it_is_long_enough(data: object, secrets: set[str]) -> None:
    assert secrets_in(data) == secrets


def test_a_secret_of_several_lines_is_one_line_by_line_and_as_a_whole() -> None:
    key = "-----BEGIN-----\n  abcdefgh\nijk\n\n-----END-----\n"
    assert secrets_in({"private_key": key}) == {key, "-----BEGIN-----", "abcdefgh", "-----END-----", json.dumps(key)[1:-1]}


def test_a_secret_counts_as_json_spells_it_too() -> None:
    assert secrets_in({"password": 'quo"té\\'}) == {'quo"té\\', 'quo\\"té\\\\', 'quo\\"t\\u00e9\\\\'}


def test_variables_are_told_by_their_names_and_urls_by_their_form(tmp_path: Path) -> None:
    credentials = tmp_path / "credentials.json"
    credentials.touch()
    environment = {
        "HF_TOKEN": "hf_abcdef",
        "MY_SERVICE_KEY": "abc/def/ghi",
        "HTTPS_PROXY": "http://me:behind-it@proxy:3128",
        "GOOGLE_APPLICATION_CREDENTIALS": str(credentials),
        "AWS_SHARED_CREDENTIALS_FILE": "/not/there",
        "HOME": "/home/abcdef",
        "TOKENIZERS_PARALLELISM": "abcdef",
    }
    assert secrets_in_environment(environment) == {"hf_abcdef", "abc/def/ghi", "behind-it", "/not/there"}


def test_without_an_environment_it_is_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "abcdef-of-ours")
    assert "abcdef-of-ours" in secrets_in_environment()
