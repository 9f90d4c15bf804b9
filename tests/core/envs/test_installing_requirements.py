from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from djsandbox.envs import EnvRecipe, environment_for, problems, recipe_hash
from djsandbox.envs.dependencies import pip_arguments, place_for
from djsandbox.envs.requirement_files import name_of, read_requirements
from djsandbox.errors import ConfigError


def test_one_requirement_is_one_argument() -> None:
    texts = ["torch >= 2, < 3", "x[a,b] @ https://e.org/it's x.whl", "six ; python_version < '3.12'"]
    assert pip_arguments(texts) == tuple(texts)


def test_options_and_constraints_come_before_and_are_lists_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "it's limits.txt"
    file.touch()
    made = pip_arguments(["six"], pip_options=["--no-build-isolation", "--extra-index-url", "https://e.org"], constraints=file)
    assert made == ("--no-build-isolation", "--extra-index-url", "https://e.org", "-c", str(file), "six")


@pytest.mark.parametrize("text", ["flash-attn==2.3.6 --no-build-isolation", "--index-url=x", "-r x.txt"])
def test_an_option_among_the_requirements_is_refused_with_where_it_belongs(text: str) -> None:
    with pytest.raises(ConfigError, match="holds an option") as caught:
        pip_arguments([text])
    assert "pip_options" in str(caught.value)


@pytest.mark.parametrize("text", ["", " ", "a\nb", "a b", "six==", "$(id)", "`id`", ";echo", "it's"])
def test_what_is_no_requirement_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is no requirement"):
        pip_arguments([text])


def test_an_empty_list_and_a_text_for_options_are_refused() -> None:
    with pytest.raises(ConfigError, match="nothing to install"):
        pip_arguments([])
    with pytest.raises(ConfigError, match="pip_options is a list"):
        pip_arguments(["six"], pip_options="--pre")


def test_a_path_is_a_requirements_file_or_a_code_base(tmp_path: Path) -> None:
    (tmp_path / "r.txt").touch()
    assert pip_arguments(str(tmp_path / "r.txt")) == ("-r", str(tmp_path / "r.txt"))
    assert place_for(tmp_path / "r.txt") == tmp_path
    with pytest.raises(ConfigError, match="is no Python project"):
        pip_arguments(tmp_path)
    (tmp_path / "setup.py").touch()
    assert pip_arguments(tmp_path) == ("-e", str(tmp_path))
    with pytest.raises(ConfigError, match=r"there is no file or folder .*torch") as caught:
        pip_arguments("torch")
    assert '["torch"' in str(caught.value)


def test_an_installer_does_not_run_where_a_uv_project_could_tell_it_what_to_do() -> None:
    assert place_for(["six"]) == Path("/")


def test_included_files_become_lines_and_relative_paths_become_full(tmp_path: Path) -> None:
    inner = tmp_path / "inner folder"
    inner.mkdir()
    (tmp_path / "main.txt").write_text(
        "# all of it\n-r inner folder/more.txt\n--constraint=inner folder/limits.txt\n"
        "six==1.16 \\\n    ; python_version > '3'\n"
        "-e ./src[x]\nurl @ https://e.org/a#sha256=1  # no comment\n--extra-index-url https://e.org\n"
    )
    (inner / "more.txt").write_text("\ufeffalpha\n-cmore-limits.txt\n..\n")
    (inner / "limits.txt").write_text("numpy<2\n")
    (inner / "more-limits.txt").write_text("scipy<2\n-r limits.txt")
    found = read_requirements(tmp_path / "main.txt")
    assert found.lines == (
        "alpha",
        tmp_path.as_uri(),
        "six==1.16      ; python_version > '3'",
        f"-e {(tmp_path / 'src').as_uri()}[x]",
        "url @ https://e.org/a#sha256=1",
        "--extra-index-url https://e.org",
    )
    assert found.constraints == ("scipy<2", "numpy<2", "numpy<2")


@pytest.mark.parametrize(
    ("line", "full"),
    [
        ("--find-links ./my wheels", "--find-links {here}/my%20wheels"),
        ("--find-links=my wheels", "--find-links {here}/my%20wheels"),
        ("-f my wheels", "-f {here}/my%20wheels"),
        ("-fsub", "-f {here}/sub"),
        ("--extra-index-url sub", "--extra-index-url {here}/sub"),
        ("-i https://e.org/simple", "-i https://e.org/simple"),
        ("-f https://e.org/wheels", "-f https://e.org/wheels"),
        ("-f /abs/wheels", "-f /abs/wheels"),
        ("-e sub", "-e {here}/sub"),
        ("-e sub[x,y]", "-e {here}/sub[x,y]"),
        ("--editable=sub/inner", "-e {here}/sub/inner"),
        ("-e file:./sub#egg=x", "-e {here}/sub#egg=x"),
        ("-e git+https://e.org/x#egg=x", "-e git+https://e.org/x#egg=x"),
        ("sub/", "{here}/sub"),
        ("sub/inner[x] ; python_version > '3'", "{here}/sub/inner[x] ; python_version > '3'"),
        ("./sub --config-settings a=b", "{here}/sub --config-settings a=b"),
        ("x-1-py3-none-any.whl", "{here}/x-1-py3-none-any.whl"),
        ("pkg @ file:./sub", "pkg @ {here}/sub"),
        ("pkg[a] @ file:sub ; os_name == 'posix'", "pkg[a] @ {here}/sub ; os_name == 'posix'"),
        ("pkg @ file:///elsewhere/sub", "pkg @ file:///elsewhere/sub"),
        ("pkg @ git+https://e.org/x", "pkg @ git+https://e.org/x"),
        ("sub", "sub"),
        ("sub==1", "sub==1"),
        ("other.whl", "other.whl"),
    ],
)
def test_whatever_names_something_beside_the_file_names_it_in_full(line: str, full: str, tmp_path: Path) -> None:
    (tmp_path / "sub" / "inner").mkdir(parents=True)
    (tmp_path / "my wheels").mkdir()
    (tmp_path / "x-1-py3-none-any.whl").touch()
    file = tmp_path / "requirements.txt"
    file.write_text(f"{line}\n")
    assert read_requirements(file).lines == (full.format(here=tmp_path.as_uri()),)


@pytest.mark.parametrize("line", ["'./sub", '"./sub dir', "-e './sub", "--find-links 'my wheels", "'torch"])
def test_a_quote_that_is_never_closed_is_told_with_its_line(line: str, tmp_path: Path) -> None:
    inner = tmp_path / "inner.txt"
    inner.write_text(f"# a comment\nsix \\\n  ; python_version > '3'\n\n{line}\nalpha\n")
    file = tmp_path / "requirements.txt"
    file.write_text("-r inner.txt\n")
    (problem,) = problems(EnvRecipe("r", requirement_files=(str(file),)))
    assert str(problem.where) == f"{inner}:5"
    assert "is never closed" in problem.message


@pytest.mark.parametrize("manager", ["uv", "venv"])
def test_a_recipe_installs_from_what_lies_beside_its_requirements_file(
    manager: str, store: Path, tmp_path: Path, wheels: Path
) -> None:
    beside = tmp_path / "a folder"
    (beside / "sub").mkdir(parents=True)
    shutil.copytree(wheels, beside / "my wheels")
    wheel = wheels / "alpha-1.0-py3-none-any.whl"
    copied = f"shutil.copy({str(wheel)!r}, folder).rpartition('/')[2]"
    backend = f"import shutil\ndef build_wheel(folder, *_, **__):\n    return {copied}\n"
    (beside / "sub" / "backend.py").write_text(backend)
    (beside / "sub" / "pyproject.toml").write_text('[build-system]\nrequires=[]\nbuild-backend="backend"\nbackend-path=["."]\n')
    file = beside / "requirements.txt"
    file.write_text("--no-index\n--find-links my wheels\nbeta\nalpha @ file:./sub\n")
    recipe = EnvRecipe("small", requirement_files=(str(file),))
    ready = environment_for(recipe, manager=manager)
    assert (ready.packages["alpha"], ready.packages["beta"]) == ("1.0", "1.0")
    (beside / "my wheels" / "alpha-2.0-py3-none-any.whl").unlink()
    assert recipe_hash(recipe, manager=manager) == ready.hash  # it is an index: what it offers is no part of the identity
    (beside / "sub" / "more.py").touch()
    assert recipe_hash(recipe, manager=manager) != ready.hash


def test_packages_can_be_left_out_however_they_are_spelled(tmp_path: Path) -> None:
    file = tmp_path / "r.txt"
    file.write_text(
        "bitsandbytes==0.41\nFlash_Attn>=2 ; python_version>'3'\ndeepspeed[ops]\nflash-attn-extra\n-e git+https://e.org/x#egg=apex\n"
    )
    assert read_requirements(file, ["BitsAndBytes", "flash-attn", "deepspeed", "apex"]).lines == ("flash-attn-extra",)


def test_a_file_that_includes_itself_or_is_not_there_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("-r b.txt")
    (tmp_path / "b.txt").write_text("-r a.txt")
    with pytest.raises(ConfigError, match="includes itself"):
        read_requirements(tmp_path / "a.txt")
    (tmp_path / "b.txt").write_text("-r c.txt")
    with pytest.raises(ConfigError, match=r"c\.txt cannot be read"):
        read_requirements(tmp_path / "a.txt")


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Torch_Vision==1", "torch-vision"),
        ("a.b @ file:///x", "a-b"),
        ("./x", None),
        ("https://example.org/x", None),
        ("--pre", None),
    ],
)
def test_the_package_of_a_line_is_told_where_it_says_so(line: str, name: str | None) -> None:
    assert name_of(line) == name
