"""Hosts as people have them: how a lab host becomes one, and the profile that describes it."""

from . import database, environment, shell
from .variant import Variant

VARIANTS: tuple[Variant, ...] = (*database.VARIANTS, *environment.VARIANTS, *shell.VARIANTS)
