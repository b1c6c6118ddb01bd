"""Ways of a host that scripts meet: login shells that are not POSIX, no locale, /tmp noexec."""

from .variant import Variant

# A locale that is named everywhere, and installed nowhere.
WITHOUT = """
mount -o remount,noexec /tmp
cp /bin/true /tmp; if /tmp/true; then exit 1; fi; rm /tmp/true
if locale -a | grep -qi de_DE; then exit 1; fi
printf 'LANG=de_DE.UTF-8\\nLC_ALL=de_DE.UTF-8\\n' | tee /etc/environment >/etc/default/locale
"""


def of(shell: str, *users: str) -> str:
    """Give the script that gives users a login shell."""
    return "\n".join(f"usermod -s {shell} {user}" for user in users)


VARIANTS: tuple[Variant, ...] = (
    Variant("fish, no locale, /tmp noexec", WITHOUT + of("/usr/bin/fish", "deploy", "halext")),
    Variant("tcsh", of("/usr/bin/tcsh", "deploy", "root")),
    Variant("tcsh of root", of("/usr/bin/tcsh", "root", "halext"), user="root"),
)
