"""Where InternVL's programs run, and what they need around them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from djsandbox import EnvConfig, Environment, Finding
from djsandbox.errors import ComponentError

from djsandbox_internvl import recipe
from djsandbox_internvl.open_paths import is_open


def home_change(internvl_home: str | None) -> dict[str, Any]:
    """What a checkout of the user's changes in the recipe; one that is none is told at its own line, and only there."""
    is_usable = internvl_home and (is_open(internvl_home) or not _lacking(_absolute(internvl_home)))
    return {"homes": {recipe.NAME: internvl_home}} if is_usable else {}


def known_chat(config: EnvConfig, internvl_home: str | None) -> Path | None:
    """The folder `internvl_chat` of the user's checkout, as far as the config tells and it is there."""
    homes = config.env_params.get("homes")
    named = homes.get(recipe.NAME) if isinstance(homes, dict) else None
    home = named or internvl_home
    if not isinstance(home, str) or is_open(home):
        return None
    chat = _absolute(home) / "internvl_chat"
    return chat if chat.is_dir() else None


def home_findings(config: EnvConfig, internvl_home: str | None) -> Iterator[Finding]:
    """What is wrong with the checkout; nothing is cloned for an environment of the user's own: there it has to be named."""
    homes = config.env_params.get("homes")
    named = internvl_home or (isinstance(homes, dict) and homes.get(recipe.NAME))
    if config.env_manager == "existing" and not named:
        yield Finding(("env_manager",), "nothing says where InternVL is, and for an existing environment it is not cloned",
                      "internvl_home: /path/to/InternVL")  # fmt: skip
    if internvl_home and not is_open(internvl_home) and (home := _absolute(internvl_home)).exists():
        lacking = _lacking(home)
        if lacking:
            fix = "git clone https://github.com/OpenGVLab/InternVL, and name its folder"
            yield Finding(("internvl_home",), f"{home} is no checkout of InternVL: it has no {', '.join(lacking)}", fix)


def chat_folder(environment: Environment) -> Path:
    """The folder `internvl_chat`, in which all programs have to be started; ComponentError where there is no checkout."""
    home = environment.sources.get(recipe.NAME)
    if home is None:
        raise ComponentError(
            "nothing says where InternVL is", fix="name your checkout: internvl_home: /path/to/InternVL (git clone it first)"
        )
    return home / "internvl_chat"


def variables_for(environment: Environment, chat: Path) -> dict[str, str]:
    """The environment's variables, and the folder of InternVL's package on the path of modules."""
    variables = environment.variables()
    return {**variables, "PYTHONPATH": ":".join(filter(None, (str(chat), variables.get("PYTHONPATH"))))}


def _absolute(home: str) -> Path:
    return Path(home).expanduser().absolute()


def _lacking(home: Path) -> list[str]:
    """By which a checkout is told from another folder, and `home` has not."""
    return [name for name in (recipe.FINETUNE, recipe.EVALUATE) if not (home / name).is_file()]
