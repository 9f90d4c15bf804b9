"""Environments for third-party systems: managers, recipes, and building them once."""

from djsandbox.envs.base import Env
from djsandbox.envs.conda import CondaEnv
from djsandbox.envs.existing import ExistingEnv
from djsandbox.envs.router import ENV_ROUTER
from djsandbox.envs.virtual import VirtualEnv

__all__ = ["ENV_ROUTER", "CondaEnv", "Env", "ExistingEnv", "VirtualEnv"]
