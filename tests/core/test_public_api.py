import ast
import subprocess
import sys
from pathlib import Path

import djsandbox


def test_every_public_name_leads_somewhere_and_type_checkers_know_the_same_names() -> None:
    stub = Path(djsandbox.__file__).with_suffix(".pyi")
    tree = ast.parse(stub.read_text(encoding="utf-8"))
    typed = {alias.asname for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert typed == set(djsandbox.__all__)
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                assert getattr(djsandbox, alias.name) is getattr(__import__(str(node.module), fromlist=["x"]), alias.name)


def test_importing_the_package_imports_nothing_else_of_ours() -> None:
    code = "import sys, djsandbox; print([name for name in sys.modules if name.startswith('djsandbox.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(djsandbox, "nothing_of_that_name")
