"""A ':' separates the folders on PATH, so an environment with one in its own path would run another's programs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from djsandbox.cli.main import call
from djsandbox.envs import ENV_ROUTER, EnvRecipe, environment_for, problems
from djsandbox.errors import ConfigError


def test_a_store_with_a_separator_in_its_path_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "st:ore"
    monkeypatch.setenv("DJSANDBOX_ENVS", str(store))
    [found] = problems(EnvRecipe("small"), manager="uv")
    assert f"no environment can be at {store}" in found.message and "DJSANDBOX_ENVS" in str(found.fix)
    with pytest.raises(ConfigError, match="no environment can be at"):
        environment_for(EnvRecipe("small"), manager="uv")
    assert call(["envs", "list"]) == 2
    assert "no environment can be at" in capsys.readouterr().err
    assert not store.exists()


def test_an_existing_environment_with_a_separator_in_its_path_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "mi:ne"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    [found] = problems(EnvRecipe("small"), manager="existing", params={"path": str(folder)})
    assert f"no environment can be at {folder}" in found.message
    with pytest.raises(ConfigError, match="no environment can be at"):
        ENV_ROUTER["existing"](None, "existing", env_path=folder).run_cmd(["python", "-V"], on_line=None)
    with pytest.raises(ConfigError, match="no environment can be at"):
        ENV_ROUTER["venv"]("x", "venv", env_path=folder).variables()
