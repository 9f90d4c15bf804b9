"""Where InternVL's programs run, and what they need around them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from djsandbox import EnvConfig, Environment, Finding
from djsandbox.errors import ComponentError

from djsandbox_internvl import recipe
from djsandbox_internvl.naming import is_open


def home_change(internvl_home: str | None) -> dict[str, Any]:
    """What a checkout of the user's changes in the recipe."""
    return {"homes": {recipe.NAME: internvl_home}} if internvl_home else {}


def known_chat(config: EnvConfig, internvl_home: str | None) -> Path | None:
    """The folder `internvl_chat` of the user's checkout, as far as the config tells and it is there."""
    homes = config.env_params.get("homes")
    named = homes.get(recipe.NAME) if isinstance(homes, dict) else None
    home = named or internvl_home
    if not isinstance(home, str) or is_open(home):
        return None
    chat = Path(home).expanduser().absolute() / "internvl_chat"
    return chat if chat.is_dir() else None  # a checkout that is wrong is told by the environment's own checks


def home_findings(config: EnvConfig, internvl_home: str | None) -> Iterator[Finding]:
    """Nothing is cloned for an environment of the user's own: there, the checkout has to be named."""
    homes = config.env_params.get("homes")
    named = internvl_home or (isinstance(homes, dict) and homes.get(recipe.NAME))
    if config.env_manager == "existing" and not named:
        yield Finding(("env_manager",), "nothing says where InternVL is, and for an existing environment it is not cloned",
                      "internvl_home: /path/to/InternVL")  # fmt: skip


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
