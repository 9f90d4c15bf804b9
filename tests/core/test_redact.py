from __future__ import annotations

import pytest
from djsandbox.redact import is_secret, redact


@pytest.mark.parametrize(
    "key",
    [
        "api_key",
        "API_KEY",
        "api-key",
        "apiKey",
        "apikey",
        "OPENAI_API_KEY",
        "openai_api_key",
        "WANDB_API_KEY",
        "wandb_key",
        "DASHSCOPE_KEY",
        "access_key",
        "AccessKey",
        "secret_key",
        "aws_secret_access_key",
        "private_key",
        "api_keys",
        "token",
        "hf_token",
        "HF_TOKEN",
        "access_token",
        "accessToken",
        "auth_token",
        "access_tokens",
        "password",
        "db_password",
        "PASSWORD",
        "passwords",
        "password_hash",
        "secret",
        "client_secret",
        "secrets",
        "secretId",
        "credentials",
        "model.api_key",
        "KEY",
        "OPENAI_API_KEY_2",
        "api_key_2",
        "TOKEN_PROD",
        "hf_token_test",
        "MY_KEY_FILE",
        "SIGNING_KEY_ID",
        "PGPASSWORD",
        "pgpassword",
        "dbPasswords",
        "CLIENTSECRET",
        "ACCESSKEY",
        "OPENAIKEY",
        "secretkey",
        "mytoken",
        "GITHUBTOKEN",
        "authtoken",
        "hf_token_read",
        "GH_TOKEN_FOR_CI",
        "BOT_TOKENS",
        "kaggle_key",
    ],
)
def test_a_key_that_names_a_secret_is_one(key: str) -> None:
    assert is_secret(key)


@pytest.mark.parametrize(
    "key",
    [
        "text_key",
        "label_key",
        "ranking_keys",
        "key_remapping",
        "key",
        "keys",
        "image_key",
        "text_keys",
        "keyword",
        "keywords",
        "monkey",
        "max_tokens_2",
        "text_key_2",
        "tokens",
        "max_tokens",
        "max_token",
        "num_tokens",
        "token_num_filter",
        "tokenizer",
        "hf_tokenizer",
        "pad_token",
        "eos_token",
        "special_token",
        "image_token",
        "stop_token",
        "token_id",
        "tokenization",
        "key_version",
        "outside_key",
        "turkey_dataset",
        "api_url",
        "secretary",
        "passwordless",
        "数据",
        "_",
        "sort_key",
        "padtoken",
        "nexttoken",
        "MAX_TOKENS",
        "MAX_TOKENS_PER_CALL",
        "TOKENIZERS_PARALLELISM",
        "HF_TOKEN_PATH",
        "KEYBOARD",
        "hotkey",
    ],
)
def test_a_key_that_only_looks_alike_is_none(key: str) -> None:
    assert not is_secret(key)


def test_secrets_are_replaced_wherever_they_stand_and_nothing_else_changes() -> None:
    config = {
        "model": {"api_key": "sk-1", "text_key": "text", "headers": [{"token": "t"}]},
        "secrets": {"a": "x", "list": ["y", 3]},
        "password": 1234,
        "max_tokens": 512,
        "unset": {"token": None, "password": "", "api_key": False},
        3: ("a", 1.5),
    }
    before = repr(config)
    assert redact(config) == {
        "model": {"api_key": "***", "text_key": "text", "headers": [{"token": "***"}]},
        "secrets": {"a": "***", "list": ["***", "***"]},
        "password": "***",
        "max_tokens": 512,
        "unset": {"token": None, "password": "", "api_key": False},
        3: ["a", 1.5],
    }
    assert repr(config) == before


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgres://me:pw@host:5432/db", "postgres://me:***@host:5432/db"),
        ("redis://:pw@host", "redis://:***@host"),
        ("git clone https://me:pw@host/a and https://other/b", "git clone https://me:***@host/a and https://other/b"),
        ("http://host:8000/v1", "http://host:8000/v1"),
        ("http://host:8000/a@b", "http://host:8000/a@b"),
        ("at 10:30 me@host", "at 10:30 me@host"),
    ],
)
def test_passwords_in_urls_are_replaced(text: str, shown: str) -> None:
    assert redact({"a": [text]}) == {"a": [shown]}
