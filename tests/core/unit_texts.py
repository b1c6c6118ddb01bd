"""`Environment=` lines as people and tools write them, and worse, for hypothesis to make up."""

from hypothesis import strategies as st

from tests.core.env_texts import ATOMS, KEYS, blanks

# A specifier that systemd replaces is not among them: its value depends on the host.
_ATOMS = (
    *(atom for atom in ATOMS if "%" not in atom and "\n" not in atom),
    *("%%", "%4", "%-", "\\\n", "\\ ", "\\s", "\\x41", "\\x4", "\\u00e9", "\\101", "\\z", "\\0"),
    *("\\x01", "\\a", "\\r", "\x01", "\x7f", "K=", " K=", " 'ID=", ' "_x9='),
)
_inside = st.lists(st.sampled_from(_ATOMS), max_size=10).map("".join)
_plain = st.lists(
    st.sampled_from([atom for atom in _ATOMS if not set(atom) & set("'\"\\\n")]), max_size=5
).map("".join)


@st.composite
def _words(draw: st.DrawFn) -> str:
    """Make an assignment that systemd parses, in one of the ways to quote it."""
    key, inside = draw(st.sampled_from(KEYS)), draw(_plain)
    bare = "".join(inside.split())
    forms = (f'"{key}={inside}"', f"'{key}={inside}'", f"{key}={bare}", f"{key}='{inside}'{bare}")
    return draw(st.sampled_from(forms))


_values = st.lists(_words(), max_size=3).map(" ".join) | _inside
_settings = st.builds("{}Environment{}={}{}".format, blanks, blanks, blanks, _values)
_others = st.sampled_from(
    (
        *("", "  ", "# note", "; K=old", "# note \\", "Environment=", "Environment=K=1 \\"),
        *("[Unit]", "[Service]", " [Service] ", "[X-Other]", "Nice=1", "\\", "K=1"),
    )
)
texts = st.lists(_settings | _settings | _others, max_size=6).map("\n".join)
