from __future__ import annotations

import sys

import pytest
from djsandbox.process.command import Command
from djsandbox.process.environment import child_environment, is_inherited
from djsandbox.process.running import run


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "HOME",
        "LANG",
        "LC_ALL",
        "TMPDIR",
        "CUDA_VISIBLE_DEVICES",
        "CUDA_HOME",
        "NVIDIA_VISIBLE_DEVICES",
        "LD_LIBRARY_PATH",
        "http_proxy",
        "HTTPS_PROXY",
        "no_proxy",
        "SSL_CERT_FILE",
        "HF_HOME",
        "HF_TOKEN_PATH",
        "MODELSCOPE_CACHE",
        "PIP_INDEX_URL",
        "UV_CACHE_DIR",
    ],
)
def test_what_a_program_needs_of_its_machine_is_inherited(name: str) -> None:
    assert is_inherited(name)


@pytest.mark.parametrize(
    "name",
    [
        "PYTHONPATH",
        "PYTHONHOME",
        "VIRTUAL_ENV",
        "CONDA_PREFIX",
        "CONDA_DEFAULT_ENV",
        "UV_PYTHON",
        "PIP_TARGET",
        "LD_PRELOAD",
        "HF_TOKEN",
        "WANDB_API_KEY",
        "OPENAI_API_KEY",
        "CUDA_SECRET",
        "RANK",
        "SLURM_NTASKS",
        "MY_PATH",
        "PATH_",
        "path",
    ],
)
def test_what_binds_to_our_python_or_is_secret_or_unknown_is_not_inherited(name: str) -> None:
    assert not is_inherited(name)


def test_a_variable_that_is_named_is_kept_whatever_it_is() -> None:
    source = {"HF_TOKEN": "t", "PYTHONPATH": "p", "OTHER": "o"}
    kept = child_environment(keep=["HF_TOKEN", "PYTHONPATH", "MISSING"], source=source)
    assert {name: kept.get(name) for name in ("HF_TOKEN", "PYTHONPATH", "OTHER", "MISSING")} == {
        "HF_TOKEN": "t",
        "PYTHONPATH": "p",
        "OTHER": None,
        "MISSING": None,
    }


def test_extra_variables_win_over_inherited_ones() -> None:
    made = child_environment({"HOME": "/b", "PYTHONUNBUFFERED": "", "ANY": "x"}, source={"HOME": "/a", "PATH": "/bin"})
    assert made == {"HOME": "/b", "PATH": "/bin", "ANY": "x", "PYTHONUNBUFFERED": ""}


def test_a_child_sees_its_environment_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret-token")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    given = {"GREETING": "it's $HOME\n`id` ü", "PATH": "/usr/bin:/bin"}
    code = (
        "import os; print(sorted((k, v) for k, v in os.environ.items() if k != 'LC_CTYPE'))"  # python may set that one itself
    )
    assert run(Command((sys.executable, "-c", code), env=given)).last_lines == (str(sorted(given.items())),)


def test_by_default_a_child_gets_the_allowed_part_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret-token")
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    monkeypatch.setenv("HF_HOME", "/models")
    names = {line.partition("=")[0]: line for line in run(Command(("env",))).last_lines}
    assert names["HF_HOME"] == "HF_HOME=/models"
    assert not {"HF_TOKEN", "PYTHONHOME"} & set(names)
