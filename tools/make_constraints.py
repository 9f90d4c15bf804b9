"""Write the pins of the workspace: `[tool.uv] constraint-dependencies` in pyproject.toml, and the same list in constraints.txt.

    python tools/make_constraints.py                      add what is new, drop what is gone, keep the rest
    python tools/make_constraints.py --upgrade            everything to the newest versions that fit
    python tools/make_constraints.py --upgrade numpy ray  these to the newest versions that fit

uv resolves for all supported platforms and Python versions at once; a pin has a marker only where one version cannot suit all.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = "# Every third-party distribution of the workspace; written by tools/make_constraints.py, not by hand.\n"
_BLOCK = re.compile(r"^constraint-dependencies = \[\n(?:.*\n)*?\]\n", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_EXPORT = "--all-packages --all-groups --all-extras --no-emit-workspace --no-hashes --no-annotate --no-header"


def main(arguments: Sequence[str] | None = None) -> int:
    """Resolve, then write both lists; pyproject.toml is left as it was when uv finds no solution."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--upgrade", nargs="*", metavar="NAME", help="take newer versions: of all, or of these")
    options = parser.parse_args(arguments)
    pyproject = ROOT / "pyproject.toml"
    before = pyproject.read_text(encoding="utf-8")
    pins = tomllib.loads(before)["tool"]["uv"].get("constraint-dependencies", [])
    try:
        pyproject.write_text(with_pins(before, kept(pins, options.upgrade)), encoding="utf-8")
        _uv("lock", *_upgrade_options(options.upgrade))
        resolved = plain(_uv("export", "--frozen", *_EXPORT.split()).splitlines())
        pyproject.write_text(with_pins(before, resolved), encoding="utf-8")
        _uv("lock")  # the lock records the constraints, too
    except BaseException:
        pyproject.write_text(before, encoding="utf-8")
        raise
    (ROOT / "constraints.txt").write_text(HEADER + "".join(f"{pin}\n" for pin in resolved), encoding="utf-8")
    print(f"{len(resolved)} pins")
    return 0


def kept(pins: Sequence[str], upgrade: Sequence[str] | None) -> list[str]:
    """The pins that still bind: all without `--upgrade`, none with a bare one."""
    if upgrade is None:
        return list(pins)
    return [pin for pin in pins if upgrade and _name(pin) not in map(_name, upgrade)]


def plain(exported: Sequence[str]) -> list[str]:
    """The exported pins, without the marker where a package has one version only (it says who needs it, not what fits)."""
    pins = sorted(line.strip() for line in exported if "==" in line)
    versions = Counter(_name(pin) for pin in pins)
    return [pin.partition(";")[0].strip() if versions[_name(pin)] == 1 else pin for pin in pins]


def with_pins(pyproject: str, pins: Sequence[str]) -> str:
    """The text of pyproject.toml with its one `constraint-dependencies` list replaced."""
    block = "".join(["constraint-dependencies = [\n", *(f'    "{pin}",\n' for pin in pins), "]\n"])
    text, count = _BLOCK.subn(lambda _: block, pyproject)
    if count != 1:
        raise SystemExit(f"pyproject.toml must have one 'constraint-dependencies = [' list, found {count}")
    return text


def _name(requirement: str) -> str:
    found = _NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", found.group() if found else requirement).lower()


def _upgrade_options(upgrade: Sequence[str] | None) -> list[str]:
    if upgrade is None:
        return []
    return ["--upgrade"] if not upgrade else [part for name in upgrade for part in ("--upgrade-package", name)]


def _uv(*arguments: str) -> str:
    done = subprocess.run(["uv", *arguments], cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise SystemExit(f"'uv {' '.join(arguments)}' failed; pyproject.toml is as it was")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
