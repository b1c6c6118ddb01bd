"""Ways to give a service its environment: several env files, or Environment= in its unit."""

from .variant import Variant

VARIANTS: tuple[Variant, ...] = ()
