"""What training and inference have in common: the checkout, the environment, what is checked before a run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from djsandbox import CommandConfig, CommandExecutor, EnvConfig, Finding, Loc, ReferencePath, is_decided_at_run
from pydantic import model_validator

from djsandbox_easyanimate import home as homes
from djsandbox_easyanimate.home import NAME, Version, home_of, version_of, wrong_with
from djsandbox_easyanimate.paths import PathsFrom, Place, base_of, from_here, is_hub_name, is_placeholder

_MODEL: Place = ("model_path", "pretrained_model_name_or_path")
_MODEL_LOC: Loc = ("train", *_MODEL)


class EasyAnimateConfig(EnvConfig, CommandConfig):
    """Which EasyAnimate, and what the paths are relative to."""

    easyanimate_home: ReferencePath | None = None
    """Folder of EasyAnimate; by default ./thirdparty/models/EasyAnimate where that is; `current` is cloned without one."""
    version: Version | None = None
    """`legacy` (commit b54412c with the existing sandbox's patch) or `current`; by default as the files of the folder tell."""
    paths_from: PathsFrom = "home"
    """What relative paths in `train:` begin at: `home`, the folder of EasyAnimate, or `here`, the current directory."""
    model_name: str | None = None
    """What the model is called; for people."""

    path_places: ClassVar[tuple[Place, ...]] = ()
    outside_key: ClassVar[frozenset[str]] = frozenset({"model_name", "easyanimate_home", "paths_from"})

    @model_validator(mode="before")
    @classmethod
    def _paths_from_here(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "train" not in data:
            return data
        base = base_of(data.get("easyanimate_home"), data.get("paths_from", "home"))
        return {**data, "train": from_here(data["train"], cls.path_places, (_MODEL,), base)}


class EasyAnimateExecutor(CommandExecutor):
    """Base of the executors: runs programs of a checkout of EasyAnimate in its environment."""

    Config: ClassVar[type[EasyAnimateConfig]] = EasyAnimateConfig

    legacy_words: ClassVar[tuple[Loc, ...]] = ()
    """Places of values that the old scripts take as words, so that nothing in them may be split."""

    @property
    def version(self) -> Version:
        """The version that runs."""
        return self.config.version or version_of(self._home())

    def env_recipe(self) -> str:
        """The environment of the version; without a checkout of the old one, which `check` tells, that of the current one."""
        return "easyanimate_legacy" if self.version == "legacy" and self._has_checkout() else "easyanimate"

    def recipe_changes(self) -> Mapping[str, Any]:
        """The user's checkout in the place of a clone; one that is none is told of by `check` alone."""
        home = self._home()
        return {"homes": {NAME: os.path.abspath(home)}} if home and self._has_checkout() else {}

    def key_fields(self) -> Mapping[str, Any]:
        """The config, and the version where the config leaves it to the files."""
        return {**super().key_fields(), "version": self.version}

    def check(self) -> Iterable[Finding]:
        """What is wrong with the checkout, the models and the values, before anything runs."""
        yield from self._check_home()
        if self.config.version is None and not self._has_checkout():
            return  # the rest differs with the version, which nothing tells
        yield from self._check_models()
        if self.version == "legacy":
            yield from self._check_words()
        yield from self.check_more()

    def check_more(self) -> Iterable[Finding]:
        """What only training, or only inference, has to check."""
        return ()

    def home(self) -> str:
        """The checkout, while the job runs."""
        return str(self.environment.sources[NAME])

    def variables(self) -> dict[str, str]:
        """The environment variables of a task."""
        return {**self.environment.variables(), "PYTHONUNBUFFERED": "1", "TOKENIZERS_PARALLELISM": "false"}

    def _home(self) -> str | None:
        given = self._home_of_params() or self.config.easyanimate_home
        return home_of(None if is_decided_at_run(given) else given)

    def _home_of_params(self) -> str | None:
        """The checkout in `env_params`, which the environment's own checks look at."""
        homes = self.config.env_params.get("homes")
        named = homes.get(NAME) if isinstance(homes, Mapping) else None
        return named if isinstance(named, str) else None

    def _has_checkout(self) -> bool:
        """Whether there is a checkout of the version."""
        home = self._home()
        return home is not None and not any(wrong_with(home, self.version))

    def _check_home(self) -> Iterator[Finding]:
        home = self._home()
        if home is None:
            if self.version == "legacy":
                yield Finding(
                    ("easyanimate_home",),
                    f"there is no EasyAnimate at ./{homes.DEFAULT_HOME}, and version 'legacy' cannot be cloned: it has a patch "
                    "of the existing sandbox",
                    "name a patched checkout in easyanimate_home; or version: current, which is cloned",
                )
            return
        if self._home_of_params() or (self.config.easyanimate_home and not os.path.isdir(home)):
            return  # told of every checkout in env_params, and of every path that is not there
        for message, fix in wrong_with(home, self.version):
            yield Finding(("easyanimate_home",), message, fix)

    def _check_models(self) -> Iterator[Finding]:
        model = self.config.train.model_path
        if self.version == "legacy" and model.transformer_path is None:
            loc = ("train", "model_path", "transformer_path")
            yield Finding(loc, "version 'legacy' needs the weights of EasyAnimate's transformer", "set transformer_path")
        name = model.pretrained_model_name_or_path
        if is_decided_at_run(name):
            return
        if is_placeholder(name):
            yield Finding(_MODEL_LOC, f"nothing replaces the placeholder '{name}'", "download the model, and give its folder")
            return
        if is_hub_name(name, os.curdir):
            message = f"EasyAnimate reads '{name}/transformer/config.json' as a file, and there is none: hub names fail there"
            fix = "download the model, and give its folder"
            yield Finding(_MODEL_LOC, message, fix, "warning")
        elif not os.path.isdir(name):
            yield Finding(
                _MODEL_LOC, f"the folder of the base model, '{name}', does not exist", "download the model, and give its folder"
            )
        elif not (Path(name) / "transformer" / "config.json").is_file():
            yield Finding(_MODEL_LOC, f"'{name}' is no base model: it has no transformer/config.json", "give the whole model")

    def _check_words(self) -> Iterator[Finding]:
        for loc in self.legacy_words:
            found: Any = self.config
            for part in loc:
                found = getattr(found, str(part), None)
            for value in found if isinstance(found, list) else [found]:
                if isinstance(value, str) and not is_decided_at_run(value) and any(mark in value for mark in " \t\n*?["):
                    message = f"the scripts of version 'legacy' split '{value}' at spaces, and expand *, ? and ["
                    yield Finding(loc, message, "use a name without them")
