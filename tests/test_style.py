"""The style that the linter does not know: what is public says what it gives, and stays small."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
CODE = ("src", "facts", "operations", "deploys")
TESTS = ("tests", "inventories", "benchmarks")
FILES = sorted(path for part in CODE for path in (REPOSITORY / part).rglob("*.py"))
EVERYWHERE = sorted(
    {*FILES, *(path for part in TESTS for path in (REPOSITORY / part).rglob("*.py"))}
)

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

# What pyinfra and `to_json` say of themselves.
TRIVIAL = {"to_json", "process", "command"}


def named(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def public(tree: ast.Module) -> Iterator[Definition]:
    """Give what others may use: of a module, and of its classes what is more than a return."""
    for node in tree.body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield node
            members = node.body if isinstance(node, ast.ClassDef) else []
            for member in members:
                if isinstance(member, Definition) and not member.name.startswith("_"):
                    yield from () if is_one_return(member) else (member,)


def is_one_return(member: Definition) -> bool:
    return isinstance(member.body[0], ast.Return)


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines from `def` to its end, without the docstring."""
    whole = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is None:
        return whole
    return whole - ((first.end_lineno or 0) - first.lineno + 1)


def is_stub(node: Definition) -> bool:
    """Tell a protocol's method: its body is `...`."""
    (only, *rest) = node.body
    return not rest and isinstance(only, ast.Expr) and isinstance(only.value, ast.Constant)


def described_elsewhere(node: Definition) -> bool:
    return not isinstance(node, ast.ClassDef) and (node.name in TRIVIAL or is_stub(node))


@pytest.mark.parametrize("path", FILES, ids=named)
def test_what_is_public_says_what_it_gives(path):
    tree = parsed(path)
    silent = [
        f"{named(path)}:{node.lineno} {node.name}"
        for node in public(tree)
        if ast.get_docstring(node) is None and not described_elsewhere(node)
    ]
    if tree.body and ast.get_docstring(tree) is None:
        silent.append(named(path))
    assert [] == silent


@pytest.mark.parametrize("path", FILES, ids=named)
def test_a_file_has_300_lines_at_most(path):
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize("path", FILES, ids=named)
def test_a_function_has_40_lines_at_most(path):
    tall = [
        f"{named(path)}:{function.lineno} {function.name}: {length(function)} lines"
        for function in functions(parsed(path))
        if length(function) > 40
    ]
    assert [] == tall


@pytest.mark.parametrize("path", EVERYWHERE, ids=named)
def test_code_is_imported_under_its_one_name(path):
    """The bare name is a second identity of the same module: pyinfra appends the folder."""
    bare = {"facts", "operations", "deploys", "src"}
    found = []
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.append(node.module or "")
    assert [] == [name for name in found if name.partition(".")[0] in bare]


def test_it_does_see_what_it_forbids():
    tree = ast.parse(
        "def f():\n    '''Doc.'''\n" + "    x = 1\n" * 40 + "class A:\n    def b(self): ...\n"
    )
    assert [41] == [length(one) for one in functions(tree) if one.name == "f"]
    assert ["f", "A", "b"] == [one.name for one in public(tree)]
    assert [None] == [ast.get_docstring(one) for one in public(tree) if one.name == "A"]
