"""A store of its own for each test, wheels without a network, local git repositories, and a stand-in for conda."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from djsandbox.envs import EnvRecipe
from djsandbox.plugins.index import plugin_index

HOSTILE = ["it's", "$HOME;echo", "`id`", 'a "b"', "two  spaces", "x\ny", "数据", "*", "\\", "-n", "#", "&& false", ""]
FOREVER = 120.0
"""Seconds after which a test that waits has failed; none comes near it."""


@pytest.fixture(autouse=True)
def always_a_store_of_its_own(store: Path) -> None:
    """Each test has one."""


@pytest.fixture
def recipe(from_wheels: tuple[str, ...]) -> Callable[..., EnvRecipe]:
    """A recipe that needs no network: `recipe("alpha==1.0", check=...)`."""

    def made(*requirements: str, name: str = "small", **details: object) -> EnvRecipe:
        return EnvRecipe(name, requirements=requirements, pip_options=from_wheels, **details)  # type: ignore[arg-type]

    return made


@dataclass
class Repo:
    """A git repository with two commits; `first` is not the tip of any branch."""

    folder: Path
    first: str
    second: str


PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "tiny"
version = "1.0"
"""
# A whole build backend: an editable wheel is a .pth file.
BACKEND = """
import os, zipfile

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name, info = "tiny-1.0-py3-none-any.whl", "tiny-1.0.dist-info"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
        wheel.writestr("tiny.pth", os.getcwd())
        wheel.writestr(info + "/METADATA", "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\nRequires-Dist: alpha\\n")
        wheel.writestr(info + "/WHEEL", "Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "/RECORD", "")
    return name
"""


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    folder = tmp_path / "origin's repo"
    folder.mkdir()

    def git(*arguments: str) -> str:
        who = ("-c", "user.name=t", "-c", "user.email=t@t.t", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "backend.py").write_text(BACKEND)
    (folder / "tiny.py").write_text("ANSWER = 1\n")
    (folder / "requirements.txt").write_text("beta\nbitsandbytes==0.41.0  # breaks\n")
    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "first")
    first = git("rev-parse", "HEAD")
    (folder / "tiny.py").write_text("ANSWER = 2\n")
    git("commit", "-q", "-a", "-m", "second")
    return Repo(folder, first, git("rev-parse", "HEAD"))


@pytest.fixture
def becomes_true() -> Callable[[Callable[[], bool]], bool]:
    """Waits until something is so."""

    def eventually(what: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + FOREVER
        while not what():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    return eventually


# Behaves as the programs of the conda family do, as far as environments go: prefixes with conda-meta/history and bin/python,
# names for those under <root>/envs, refusal to make what exists, and of whatever it does not know. Its environments are real:
# their pip is the one that Python bundles.
CONDA = r'''
import json, os, pathlib, subprocess, sys
ROOT = pathlib.Path({root!r})
NAME = {name!r}
ME = pathlib.Path(__file__).name
ENVS = ROOT / "envs"
OTHERS = ROOT / "environments.txt"

def fail(text, code=1):
    sys.stderr.write(text + "\n")
    sys.exit(code)

def others():
    return OTHERS.read_text().splitlines() if OTHERS.exists() else []

def make(prefix, spec):
    if (prefix / "conda-meta").exists():
        fail(f"CondaValueError: prefix already exists: {{prefix}}")
    subprocess.run([{uv!r}, "venv", "-q", "--no-project", "--python", {python!r}, str(prefix)], check=True)
    site = next((prefix / "lib").glob("python*/site-packages"))
    (site / "bundled_pip.pth").write_text({pip!r})
    (prefix / "conda-meta").mkdir()
    (prefix / "conda-meta" / "history").write_text(f"# cmd: {{sys.argv}}\n# specs: {{spec}}\n")
    if prefix.parent != ENVS:
        OTHERS.write_text("".join(line + "\n" for line in [*others(), str(prefix)]))
    print("done")

def taken(arguments):
    """-> prefix or None, file or None, specs"""
    prefix = file = None
    specs, rest = [], list(arguments)
    while rest:
        word = rest.pop(0)
        if word in ("-n", "--name"):
            prefix = ENVS / rest.pop(0)
        elif word in ("-p", "--prefix"):
            prefix = pathlib.Path(rest.pop(0))
        elif word in ("-f", "--file"):
            file = pathlib.Path(rest.pop(0))
        elif word in ("-y", "--yes"):
            pass
        elif word.startswith("-"):
            fail(f"{{ME}}: error: unrecognized arguments: {{word}}", 2)
        else:
            specs.append(word)
    return prefix, file, specs

def from_file(prefix, file):
    text = file.read_text()
    name = next((line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("name:")), None)
    make(prefix or ENVS / name, text)

with open(ROOT / "calls.jsonl", "a") as log:
    log.write(json.dumps([ME, *sys.argv[1:]]) + "\n")
words = sys.argv[1:]
if words == ["--version"]:
    print("2.0.5" if NAME == "micromamba" else f"{{NAME}} 24.9.2")
elif words[:2] == ["env", "list"] and words[2:] == ["--json"]:
    made = sorted(str(path) for path in ENVS.iterdir()) if ENVS.exists() else []
    print(json.dumps({{"envs": [str(ROOT), *made, *others()]}}, indent=2))
elif words[:1] == ["create"]:
    prefix, file, specs = taken(words[1:])
    if file is not None and NAME == "micromamba":
        from_file(prefix, file)
    elif prefix is None or file is not None:
        fail(f"{{ME}}: error: one of the arguments -n -p is required", 2)
    else:
        make(prefix, " ".join(specs))
elif words[:2] == ["env", "create"] and NAME != "micromamba":
    prefix, file, specs = taken(words[2:])
    from_file(prefix, file)
else:
    fail(f"{{ME}}: error: invalid choice: {{words}}", 2)
'''


@dataclass
class Conda:
    """A stand-in for a program of the conda family, on the PATH."""

    name: str
    root: Path

    def calls(self) -> list[list[str]]:
        """The argv of each call, less the questions about version and environments."""
        log = self.root / "calls.jsonl"
        calls = [json.loads(line)[1:] for line in log.read_text().splitlines()] if log.exists() else []
        return [call for call in calls if call not in (["--version"], ["env", "list", "--json"])]


def bundled_pip() -> str:
    import ensurepip

    return str(next((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")))


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Conda]:
    def made(name: str = "conda") -> Conda:
        root, programs = tmp_path / f"my {name}", tmp_path / "programs"
        root.mkdir()
        programs.mkdir(exist_ok=True)
        details = {"root": str(root), "name": name, "uv": uv(), "python": sys.executable, "pip": bundled_pip()}
        program = programs / name
        program.write_text(f"#!{sys.executable}\n{CONDA.format(**details)}")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
        return Conda(name, root)

    return made


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """`install(name, source, group, entry_points)` installs a distribution of one module for the time of the test."""
    made: list[str] = []

    def installed(name: str, source: str, group: str, entry_points: dict[str, str]) -> None:
        folder = tmp_path / "site" / name
        info = folder / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = "".join(f"{key} = {value}\n" for key, value in entry_points.items())
        (info / "entry_points.txt").write_text(f"[djsandbox.{group}]\n{lines}")
        (folder / f"{name}.py").write_text(source)
        made.append(name)
        monkeypatch.syspath_prepend(folder)
        plugin_index.cache_clear()

    yield installed
    plugin_index.cache_clear()
    for name in made:
        sys.modules.pop(name, None)


def uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else str(shutil.which("uv"))


@pytest.fixture
def hostile() -> list[str]:
    return list(HOSTILE)
