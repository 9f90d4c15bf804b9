"""What a machine must have before an environment is made: programs and graphics cards."""

from __future__ import annotations

import glob
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from djsandbox.envs.activation import search_path
from djsandbox.envs.recipe import GPU, EnvRecipe, SystemTool
from djsandbox.envs.tools import answer
from djsandbox.errors import Problem

_HOMES = {"java": ("JAVA_HOME",), "nvcc": ("CUDA_HOME", "CUDA_PATH"), "javac": ("JAVA_HOME",)}
_ASKED_BY = {"java": "-version", "javac": "-version", "ffmpeg": "-version", "ffprobe": "-version"}
_NUMBER = re.compile(r"\d+(?:\.\d+)+|(?<=version \")\d+")
_NVIDIA = "/proc/driver/nvidia/gpus/*"
_AMD = "/sys/class/kfd/kfd/topology/nodes/*/gpu_id"  # 0 for a CPU


def missing_tools(recipe: EnvRecipe, *, cloning: bool = True, running: bool = True) -> list[Problem]:
    """One problem for each program that is not there, too old or too new; git counts where something has to be cloned.

    Unless something is to run here, a graphics card that is missing is a warning: making an environment takes none.
    """
    wanted = list(recipe.system_tools)
    cloned = [repository.name for repository in recipe.repositories if repository.home is None]
    if cloning and cloned and all(tool.name != "git" for tool in wanted):
        wanted.append(
            SystemTool("git", f"cloning {', '.join(cloned)}", get="install git, or name your own checkout in 'homes'")
        )
    return list(_missing(wanted, recipe.name, running))


def _missing(tools: Iterable[SystemTool], recipe: str, running: bool) -> Iterable[Problem]:
    for tool in tools:
        lack = _lack(tool)
        if lack is None:
            continue
        message = f"the environment '{recipe}' needs {lack}, for {tool.needed_for}"
        if tool.name != GPU:
            yield Problem(message, fix=tool.get or f"install {tool.name}{_limited(tool)}")
        elif running:
            yield Problem(message, fix=tool.get or _to_get_a_gpu())
        else:
            yield Problem(message, fix="it can be made here; what runs in it needs a machine that has one", severity="warning")


def _lack(tool: SystemTool) -> str | None:
    if tool.name == GPU:
        return None if has_gpu() else "a GPU, and there is none that may be used"
    found = _program(tool.name)
    if found is None:
        return f"{tool.name}, which is not installed"
    if tool.wanted():
        version = version_of(found, tool.name)
        if version is None or not tool.admits(version):
            return f"{tool.name} {tool.wanted()} ({found} is {version or 'of no version that it would tell'})"
    return None


def _limited(tool: SystemTool) -> str:
    wanted = f" {tool.wanted()}" if tool.wanted() else ""
    return f"{wanted}, and set {_HOMES[tool.name][0]} to its folder" if wanted and tool.name in _HOMES else wanted


def _to_get_a_gpu() -> str:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and _hides_all(visible):
        return f"CUDA_VISIBLE_DEVICES is '{visible}', which hides all GPUs: unset it, or run on a machine that has one"
    return "'nvidia-smi -L' must list one; where it lists none, run on a machine with a GPU and its driver"


def _hides_all(visible: str) -> bool:
    return not visible.strip() or visible.strip().startswith("-")


def has_gpu() -> bool:
    """Whether there is a graphics card that may be used."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and _hides_all(visible):
        return False
    smi = shutil.which("nvidia-smi")
    if smi is not None:
        said = answer((smi, "-L"))
        if said is not None:
            return "GPU " in said
    return bool(glob.glob(_NVIDIA)) or any(Path(path).read_text().strip() not in ("", "0") for path in glob.glob(_AMD))


def version_of(program: str, name: str) -> str | None:
    """The version that a program tells of itself."""
    said = answer((program, _ASKED_BY.get(name, "--version")))
    found = _NUMBER.search(said or "")
    return found[0] if found else None


def with_tools(recipe: EnvRecipe, variables: Mapping[str, str]) -> dict[str, str]:
    """`variables` with a PATH on which also those tools of the recipe are found that only JAVA_HOME or CUDA_HOME leads to."""
    path = variables.get("PATH", search_path())
    for tool in recipe.system_tools:
        if shutil.which(tool.name, path=path) is None and (found := _at_home(tool.name)) is not None:
            path = os.pathsep.join((path, os.path.dirname(found)))
    return {**variables, "PATH": path}


def _program(name: str) -> str | None:
    on_path = shutil.which(name, path=search_path())
    # What is built for torch takes the compiler in CUDA_HOME, whatever the PATH has.
    return (_at_home(name) or on_path) if name == "nvcc" else (on_path or _at_home(name))


def _at_home(name: str) -> str | None:
    homes = [os.environ[variable] for variable in _HOMES.get(name, ()) if os.environ.get(variable)]
    return next((found for home in homes if (found := shutil.which(name, path=os.path.join(home, "bin")))), None)
