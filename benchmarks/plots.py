"""Draw what benchmarks/RESULTS.md says, and give README.md its table: `python -m benchmarks.plots`.

A benchmark that writes its part of the page (`--write`) draws anew as well.
"""

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

FOLDER = Path(__file__).parent
README = FOLDER.with_name("README.md")
MARKS = "<!-- from benchmarks/RESULTS.md -->", "<!-- end -->"
_LINE, _LEFT, _BAR, _GAP = 16, 250, 250, 70
_WIDTH = _LEFT + 2 * (_BAR + _GAP)
_COLOURS = {"relogin": "#1a7f37", "floor": "#57606a"}
_STYLE = "font: 12px system-ui, sans-serif; fill: #1f2328"
Row = Sequence[str]


def draw(page: str, folder: Path = FOLDER) -> None:
    """Write the plots of the page's tables into a folder."""
    beside = table(page, "where")
    if beside:
        (folder / "side_by_side.svg").write_text(bars(beside))
    many = table(page, "hosts", "wall s", "CPU s", "CPU ms a host more")
    if many:
        (folder / "many.svg").write_text(lines(many))


def table(page: str, *head: str) -> list[Row]:
    """Give the rows of the table whose head begins so; none where the page has none."""
    rows: list[Row] = []
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and tuple(cells[: len(head)]) == head:
            rows = [cells]
        elif rows and line.startswith("|"):
            rows.append(cells)
        elif rows:
            break
    return rows[2:]


def bars(rows: Sequence[Row]) -> str:
    """Give a bar for each row: wall seconds, and beside it CPU seconds, by place."""
    drawn: list[str] = [_text(_LEFT, 14, "seconds"), _text(_LEFT + _BAR + _GAP, 14, "CPU seconds")]
    y = 14
    for where in dict.fromkeys(row[0] for row in rows):
        y += 2 * _LINE
        drawn.append(_text(4, y, where, bold=True))
        here = [row for row in rows if row[0] == where]
        longest = [max(_number(row[column]) for row in here) for column in (2, 4)]
        for row in here:
            y += _LINE
            drawn += [_text(14, y, row[1]), *_pair(row, longest, y)]
    return _svg(drawn, y + _LINE)


def _pair(row: Row, longest: Sequence[float], y: int) -> Iterator[str]:
    colour = next((one for name, one in _COLOURS.items() if row[1].startswith(name)), "#9a6700")
    for number, (column, most) in enumerate(zip((2, 4), longest, strict=True)):
        value, x = _number(row[column]), _LEFT + number * (_BAR + _GAP)
        wide = max(value / most * _BAR, 1) if most else 1
        yield f'<rect x="{x}" y="{y - 11}" width="{wide:.1f}" height="12" fill="{colour}"/>'
        yield _text(x + int(wide) + 5, y, f"{value:g}")


def lines(rows: Sequence[Row]) -> str:
    """Give CPU seconds and MiB over the number of hosts."""
    drawn = [
        *_curve(rows, 2, "CPU seconds by hosts", 40),
        *_curve(rows, 4, "peak MiB by hosts", 40 + _WIDTH // 2),
    ]
    return _svg(drawn, 220)


def _curve(rows: Sequence[Row], column: int, name: str, left: int) -> Iterator[str]:
    wide, high, base = _WIDTH // 2 - 120, 140, 190
    most = [max(_number(row[one]) for row in rows) for one in (0, column)]
    found = [(_number(row[0]), _number(row[column])) for row in rows]
    at = [(left + x / most[0] * wide, base - y / most[1] * high) for x, y in found]
    yield _text(left, 20, name, bold=True)
    yield f'<path d="M{left} {base}h{wide}M{left} {base}v-{high}" stroke="#8c959f" fill="none"/>'
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
    yield f'<polyline points="{joined}" stroke="#1a7f37" stroke-width="2" fill="none"/>'
    for (x, y), (hosts, value) in zip(at, found, strict=True):
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#1a7f37"/>'
        yield _text(int(x) + 6, int(y) + 4, f"{value:g}")
        yield _text(int(x) - 8, base + 16, f"{hosts:g}")


def readme(page: str) -> str:
    """Give README.md's table: seconds by tool and place, and how many times the floor's."""
    rows = table(page, "where")
    places = list(dict.fromkeys(row[0] for row in rows))
    told = [f"| seconds (x the floor) | {' | '.join(places)} |", "|---" * (len(places) + 1) + "|"]
    for what in dict.fromkeys(row[1] for row in rows):
        cells = {
            row[0]: f"{row[2].split()[0]} ({row[3].split()[0]})" for row in rows if row[1] == what
        }
        told.append(f"| {what} | {' | '.join(cells.get(place, '') for place in places)} |")
    return "\n".join(told)


def filled(text: str, page: str) -> str:
    """Give README.md's text with the page's table between its marks."""
    begin, end = MARKS
    before, _, rest = text.partition(begin)
    return f"{before}{begin}\n{readme(page)}\n{end}{rest.partition(end)[2]}"


def _number(cell: str) -> float:
    return float(cell.split(maxsplit=1)[0])


def _text(x: int, y: int, text: str, *, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x}" y="{y}"{weight}>{escape(text)}</text>'


def _svg(drawn: Sequence[str], high: int) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {high}" style="{_STYLE}">'
    )
    back = f'<rect width="{_WIDTH}" height="{high}" fill="#ffffff"/>'
    return "\n".join([head, back, *drawn, "</svg>", ""])


def main() -> None:
    page = (FOLDER / "RESULTS.md").read_text()
    draw(page)
    README.write_text(filled(README.read_text(), page))


if __name__ == "__main__":
    main()
