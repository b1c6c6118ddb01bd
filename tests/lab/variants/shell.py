"""Ways of a host that scripts meet: login shells that are not POSIX, no locale, /tmp noexec."""

from .variant import Variant

ANY = "mount -o remount,noexec /tmp\n"
VARIANTS: tuple[Variant, ...] = (
    Variant("fish", ANY + "usermod -s /usr/bin/fish deploy; usermod -s /usr/bin/fish halext"),
    Variant("tcsh", ANY + "usermod -s /usr/bin/tcsh deploy; usermod -s /usr/bin/tcsh halext"),
    Variant("tcsh of root", "usermod -s /usr/bin/tcsh root", user="root"),
)
