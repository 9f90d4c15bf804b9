from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from djsandbox.envs import EnvRecipe, Repository, SystemTool, environment_for, problems
from djsandbox.envs.system import has_gpu, version_of
from djsandbox.errors import ConfigError

Programs = Callable[..., None]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Only the programs that are given are on the PATH; each prints what it is given."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    for name in ("JAVA_HOME", "CUDA_HOME", "CUDA_PATH", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)

    def made(where: Path = folder, **said: str) -> None:
        where.mkdir(parents=True, exist_ok=True)
        for name, text in said.items():
            (where / name).write_text(f"#!/bin/sh\n/bin/cat >&2 <<'END'\n{text}\nEND\n")
            (where / name).chmod(0o755)

    return made


def needing(*tools: SystemTool) -> EnvRecipe:
    return EnvRecipe("internvl", requirements=("torch",), system_tools=tools)


def test_all_that_is_missing_is_named_together_before_anything_is_installed(programs: Programs, store: Path) -> None:
    recipe = needing(
        SystemTool("java", "METEOR and SPICE", get="apt install default-jre-headless"),
        SystemTool("nvcc", "building flash-attn"),
        SystemTool("ffmpeg", "reading videos"),
    )
    programs(ffmpeg="ffmpeg version 6.1")
    with pytest.raises(ConfigError) as caught:
        environment_for(recipe)
    assert [problem.message for problem in caught.value.problems] == [
        "the environment 'internvl' needs java, which is not installed, for METEOR and SPICE",
        "the environment 'internvl' needs nvcc, which is not installed, for building flash-attn",
    ]
    assert [problem.fix for problem in caught.value.problems] == ["apt install default-jre-headless", "install nvcc"]
    assert not store.exists()


@pytest.mark.parametrize(
    ("name", "said", "version"),
    [
        ("java", 'openjdk version "17.0.15" 2025-04-15', "17.0.15"),
        ("java", 'openjdk version "21" 2023-09-19', "21"),
        ("nvcc", "Cuda compilation tools, release 12.4, V12.4.131", "12.4"),
        ("ffmpeg", "ffmpeg version 6.1.1-3ubuntu5 Copyright (c) 2000-2023", "6.1.1"),
        ("git", "git version 2.39.5", "2.39.5"),
        ("odd", "no numbers here", None),
    ],
)
def test_a_program_tells_its_version(name: str, said: str, version: str | None, programs: Programs, tmp_path: Path) -> None:
    programs(**{name: said})
    assert version_of(str(tmp_path / "programs" / name), name) == version


def test_a_version_is_compared_as_numbers(programs: Programs) -> None:
    programs(nvcc="release 12.4, V12.4.131")
    assert problems(needing(SystemTool("nvcc", "x", at_least="11.8"))) == []
    found = problems(needing(SystemTool("nvcc", "x", at_least="12.10")))
    assert "needs nvcc 12.10 or later" in found[0].message and "is 12.4" in found[0].message


@pytest.mark.parametrize(
    ("version", "lack"), [("11.8", "is 11.8"), ("12.0", None), ("12.9", None), ("13.0", "is 13.0"), ("14.2", "is 14.2")]
)
def test_a_version_can_be_too_new(programs: Programs, version: str, lack: str | None) -> None:
    programs(nvcc=f"Cuda compilation tools, release {version}, V{version}.1")
    found = problems(needing(SystemTool("nvcc", "building flash-attn", at_least="12", below="13")))
    if lack is None:
        assert found == []
    else:
        assert "needs nvcc 12 or later, below 13 (" in found[0].message and lack in found[0].message
        assert found[0].fix == "install nvcc 12 or later, below 13, and set CUDA_HOME to its folder"


def test_a_version_has_an_upper_bound_alone_too(programs: Programs) -> None:
    programs(ffmpeg="ffmpeg version 8.0")
    (found,) = problems(needing(SystemTool("ffmpeg", "x", below="8")))
    assert "needs ffmpeg below 8 (" in found.message and found.fix == "install ffmpeg below 8"


def test_trailing_zeros_make_no_other_version() -> None:
    assert SystemTool("java", "x", at_least="21.0").admits("21") and not SystemTool("java", "x", below="21.0").admits("21")
    assert SystemTool("java", "x", at_least="10").admits("10.0") and not SystemTool("java", "x", at_least="10").admits("1")


def test_the_compiler_of_cuda_home_counts_as_it_does_for_what_is_built_with_torch(
    programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = needing(SystemTool("nvcc", "x", at_least="12", below="13"))
    programs(nvcc="release 13.0")
    programs(tmp_path / "cuda-12" / "bin", nvcc="release 12.4")
    monkeypatch.setenv("CUDA_HOME", str(tmp_path / "cuda-12"))
    assert problems(recipe) == []
    programs(nvcc="release 12.4")
    programs(tmp_path / "cuda-12" / "bin", nvcc="release 13.0")
    assert len(problems(recipe)) == 1


def test_cuda_and_java_are_found_where_their_own_variables_say(
    programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(tmp_path / "cuda" / "bin", nvcc="release 12.4")
    assert len(problems(needing(SystemTool("nvcc", "x")))) == 1
    monkeypatch.setenv("CUDA_HOME", str(tmp_path / "cuda"))
    assert problems(needing(SystemTool("nvcc", "x"))) == []


def test_what_only_a_variable_leads_to_is_on_the_path_of_what_runs_in_the_environment(
    programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(tmp_path / "jdk" / "bin", java='openjdk version "21"')
    programs(tmp_path / "cuda" / "bin", nvcc="release 12.4")
    programs(nvcc="release 11.8")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    monkeypatch.setenv("CUDA_HOME", str(tmp_path / "cuda"))
    finds = "import shutil, sys; sys.exit(shutil.which('java') is None)"
    recipe = EnvRecipe(
        "small", system_tools=(SystemTool("java", "SPICE"), SystemTool("nvcc", "x")), check=("python", "-c", finds)
    )
    made = environment_for(recipe, manager="venv")
    theirs = environment_for(recipe, manager="existing", params={"path": str(made.path)})
    for ready in (made, theirs):
        assert ready.run_cmd(["python", "-c", finds], on_line=None, check=False).returncode == 0
        path = ready.variables()["PATH"]
        assert shutil.which("java", path=path) == str(tmp_path / "jdk" / "bin" / "java")
        assert shutil.which("nvcc", path=path) == str(tmp_path / "programs" / "nvcc")
        assert str(tmp_path / "cuda" / "bin") not in path.split(os.pathsep)
    other = environment_for(EnvRecipe("other"), manager="existing", params={"path": str(made.path)})
    assert shutil.which("java", path=other.variables()["PATH"]) is None


def test_git_is_needed_where_something_is_to_be_cloned(programs: Programs, tmp_path: Path) -> None:
    cloned = Repository("easyanimate", "https://e.org/x", "a" * 40)
    found = problems(EnvRecipe("r", repositories=(cloned,)))
    assert "needs git, which is not installed, for cloning easyanimate" in found[0].message
    assert problems(EnvRecipe("r", repositories=(cloned,)), params={"homes": {"easyanimate": str(tmp_path)}}) == []


def test_a_gpu_is_there_when_its_driver_says_so_and_it_may_be_used(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(**{"nvidia-smi": "GPU 0: NVIDIA H200 (UUID: GPU-1)"})
    assert has_gpu()
    assert problems(needing(SystemTool("gpu", "training"))) == []
    for hidden in ("", "-1"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
        assert not has_gpu()
    assert "needs a GPU" in problems(needing(SystemTool("gpu", "training")))[0].message


def test_what_to_do_for_a_gpu_is_said(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = needing(SystemTool("gpu", "training"))
    programs(**{"nvidia-smi": "No devices found."})
    assert "nvidia-smi -L" in str(problems(recipe)[0].fix)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert str(problems(recipe)[0].fix).startswith("CUDA_VISIBLE_DEVICES is '-1', which hides all GPUs: unset it")
    assert problems(needing(SystemTool("gpu", "training", get="rent one")))[0].fix == "rent one"


def test_an_environment_is_made_without_the_gpu_that_what_runs_in_it_needs_and_all_else_that_is_missing_is_told(
    programs: Programs, from_wheels: tuple[str, ...]
) -> None:
    gpu, nvcc = SystemTool("gpu", "training"), SystemTool("nvcc", "building flash-attn")
    recipe = EnvRecipe("small", managers=("venv",), system_tools=(gpu, nvcc), check=("python", "-c", "pass"))
    both = problems(recipe)
    assert [(one.severity, one.message.split(",")[0]) for one in both] == [
        ("error", "the environment 'small' needs a GPU"),
        ("error", "the environment 'small' needs nvcc"),
    ]
    to_make = problems(recipe, running=False)
    assert [one.severity for one in to_make] == ["warning", "error"]
    assert [one.message for one in to_make] == [one.message for one in both]
    assert "needs a machine that has one" in str(to_make[0])
    with pytest.raises(ConfigError) as caught:
        environment_for(recipe)
    assert [one.message for one in caught.value.problems] == [both[1].message]
    programs(nvcc="release 12.4")
    made = environment_for(recipe)
    assert made.run_cmd(["python", "-c", "pass"], on_line=None).returncode == 0
    assert [one.severity for one in problems(recipe)] == ["error"]  # there it is, and nothing can run in it here


def test_needs_are_checked_for_an_environment_that_is_there_too(programs: Programs) -> None:
    recipe = EnvRecipe("small", system_tools=(SystemTool("java", "SPICE"),))
    found = problems(recipe, manager="existing", params={"path": sys.prefix})
    assert "needs java" in found[0].message
