"""Where the statements of a .env file stand, and what is wrong with its bytes."""

import pytest

from relogin import env_lines, env_text
from relogin.env_lines import Problem


def test_problems_are_the_real_lines_even_after_blank_lines_crlf_and_a_bom():
    assert (Problem(4, None),) == env_lines.problems("A=1\n\n\n; no\nB=2\n")
    text = '\ufeffA=1\r\n\r\nK="a"b\r\nB=2\r\n; no\r\n'
    assert (Problem(3, "K"), Problem(5, None)) == env_lines.problems(text)
    assert () == env_lines.problems("A=1\n# fine\n\nB='x\ny'\n")


def test_a_quote_that_is_not_closed_hides_what_stands_before_the_next_one():
    text = "A=1\nK='abc\n# note\n  export B=2\r\nC = 3\nD='x'\nE=5\n"
    assert (Problem(2, "K", ("B", "C", "D")),) == env_lines.problems(text)
    assert (Problem(2, "K"),) == env_lines.problems("A=1\nK='abc\nB=2\n")


def test_duplicates_name_every_line_of_a_key_that_is_bound_twice_and_what_it_binds():
    text = "K=1\nA=1\n\nexport K='2 3'\n#K=3\nA=1\nK\n"
    found = env_lines.duplicates(text)
    assert {"K": {1: "1", 4: "2 3", 7: None}, "A": {2: "1", 6: "1"}} == found


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("\ufeffA=1\nB=2\n", "A"),
        ("\ufeffexport A = 1\n", "A"),
        ("\ufeff# note\nA=1\n", None),
        ("\ufeff\nA=1\n", None),
        ("\ufeff", None),
        ("A=1\n", None),
    ],
)
def test_a_bom_hides_the_key_that_stands_right_behind_it(text, key):
    assert key == env_lines.hidden_by_bom(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1\r\nB=2\r\n", "A=1\nB=2\n"),
        ("A=1\r\n\r\n# note\r\n  B=2 # x\r\nC=3", "A=1\n\n# note\n  B=2 # x\nC=3"),
        ("A='x\r\ny'\r\nB=2\r\n", "A='x\r\ny'\nB=2\n"),
        ('A="x\r\n\r\ny" # n\r\n', 'A="x\r\n\r\ny" # n\n'),
        ("\ufeffA=1\r\n", "\ufeffA=1\n"),
        ('A="open\r\nB=2\r\n; no\r\n', 'A="open\nB=2\n; no\n'),
        ("A=1\r\n\r\n", "A=1\n\n"),
        ("A=1\rB=2\n", "A=1\rB=2\n"),
        ("\r\n", "\n"),
        ("", ""),
    ],
)
def test_line_ends_become_unix_s_but_not_inside_of_a_value(text, expected):
    assert expected == env_lines.with_unix_line_ends(text)
    assert env_text.values(text) == env_text.values(expected)


def test_only_what_binds_a_key_counts_as_a_line_of_windows():
    assert 2 == env_lines.ending_in_crlf("# note\r\n\r\nA=1\r\nB='x\r\ny'\nC=2\r\nD=3\n")
    assert 0 == env_lines.ending_in_crlf("# note\r\n\r\nA=1\n")
