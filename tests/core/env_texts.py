"""Env files as people and tools write them, and worse, for hypothesis to make up."""

from dataclasses import dataclass

from hypothesis import strategies as st

KEYS = ("K", "ID", "_x9", "DATABASE_URL")
# What one of the readers treats in its own way, and what hosts and people put into values.
ATOMS = (
    *(
        "a",
        "0",
        "ä",
        "e\u0301",
        "\u202eאב",
        "😀",
        "\u2028",
        "\x85",
        "\xa0",
        "\ufeff",
        "-",
        ".",
        "/",
    ),
    *(" ", "  ", "\t", "'", '"', "\\", "\\\\", "$", "$$", "${", "${K}", "${ID:-b}", "$K", "$(x)"),
    *("`", "%", "%h", "#", " #", ";", "&", "|", "<", ">", "(", ")", "{", "}", "[", "]", "*", "?"),
    *("!", "~", "=", ":", "@", ",", "+", "^", "\\n", "\\t", "\\'", '\\"', "\\$", "export ", "\n"),
)
values = st.lists(st.sampled_from(ATOMS), max_size=12).map("".join) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=12
)
blanks = st.sampled_from(["", " ", "\t", "  "])
_inside = st.lists(
    st.sampled_from([a for a in ATOMS if not set(a) & {"'", '"', "\\", "\n"}]), max_size=6
).map("".join)


@dataclass(frozen=True)
class Statement:
    """A whole statement of a file, line end included; `key` is what it binds, if anything."""

    text: str
    key: str | None = None


@st.composite
def assignments(draw: st.DrawFn) -> Statement:
    """Make an assignment that every reader parses, if not to the same value."""
    key = draw(st.sampled_from(KEYS))
    inside = draw(_inside)
    forms = [inside.strip().replace("#", ""), f"'{inside}'", f'"{inside}"', f"'{inside}\n{inside}'"]
    form = draw(st.sampled_from([*forms, f'"{inside}\\"{inside}"', '"a\\\nb"', ""]))
    export = draw(st.sampled_from(["", "", "export ", "export\t "]))
    note = draw(st.sampled_from(["", "", "  ", " # note", "\t#note 'it"]))
    head = f"{draw(blanks)}{export}{key}{draw(blanks)}={draw(blanks)}"
    return Statement(head + form + note, key)


comments = st.sampled_from(["", "  ", "# note", "  # K=old", "#", "# it's", "# \\", "#K='"])
statements = assignments() | comments.map(Statement)


@dataclass(frozen=True)
class File:
    """A file of whole statements."""

    bom: str
    statements: tuple[Statement, ...]
    newline: str
    final_newline: bool

    @property
    def lines(self) -> list[str]:
        lines = [one.text.replace("\n", self.newline) + self.newline for one in self.statements]
        if lines and not self.final_newline:
            lines[-1] = lines[-1].removesuffix(self.newline)
        return lines

    @property
    def text(self) -> str:
        return self.bom + "".join(self.lines)


files = st.builds(
    File,
    st.sampled_from(["", "", "", "\ufeff"]),
    st.lists(statements, max_size=6).map(tuple),
    st.sampled_from(["\n", "\n", "\r\n"]),
    st.booleans(),
)
# Anything at all: quotes that are never closed, commands, lines that no reader parses.
soups = st.lists(
    st.sampled_from(
        [*ATOMS, "K=", "ID=", "\nK=", "\nID=", "\nexport K=", "\n", "\n", "\r\n", "\r"]
    ),
    max_size=14,
).map("".join)
texts = soups | files.map(lambda file: file.text)
