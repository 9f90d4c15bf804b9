"""Environments for third-party systems: managers, recipes, and making each environment once."""

from djsandbox.envs.base import Env
from djsandbox.envs.building import EnvironmentFailed
from djsandbox.envs.conda import CondaEnv
from djsandbox.envs.environment import ReadyEnv, environment_for, find_environment, problems, recipe_hash
from djsandbox.envs.existing import ExistingEnv
from djsandbox.envs.recipe import EnvRecipe, InstallStep, Repository, SystemTool
from djsandbox.envs.recipes import find_recipe
from djsandbox.envs.router import ENV_ROUTER
from djsandbox.envs.virtual import VirtualEnv

__all__ = [
    "ENV_ROUTER",
    "CondaEnv",
    "Env",
    "EnvRecipe",
    "EnvironmentFailed",
    "ExistingEnv",
    "InstallStep",
    "ReadyEnv",
    "Repository",
    "SystemTool",
    "VirtualEnv",
    "environment_for",
    "find_environment",
    "find_recipe",
    "problems",
    "recipe_hash",
]
