"""Patterns mean the same in both engines, and none can hang."""

import pytest
import regex as backtracking
from hypothesis import given, settings
from hypothesis import strategies as st

from llmeval.checks.builtin.text.regex import compile_pattern, find_all, matches_whole
from llmeval.checks.spec import SpecError, bind
from llmeval.core.errors import CheckError
from tests.checks.tried import marked, tried


@pytest.mark.parametrize(
    ("pattern", "text", "linear"),
    [
        (r"\bà\w+", "plain", True),
        (r"\bà\w+", "un àne", False),
        ("[a-z]+", "déjà", True),
        (r"(a)\1", "aa", False),
        (r"a(?=b)", "ab", False),
        (r"x{,2}y", "y", False),
        ("a$", "a\n", False),
        ("a", "\ud800", False),
    ],
)
def test_re2_matches_where_it_means_the_same(pattern: str, text: str, linear: bool) -> None:
    compiled = compile_pattern(pattern)
    assert (compiled.engine(text) is compiled.linear) is linear


ATOMS = st.sampled_from(
    ["a", "b", ".", r"\d", r"\w", r"\s", r"\b", "[ab]", "[^a]", "é", "^", "$", "(a|ab)", r"\W"]
)
REPEATS = st.sampled_from(["", "*", "+", "?", "{1,2}", "*?", "{,2}"])
PATTERNS = st.lists(st.tuples(ATOMS, REPEATS), min_size=1, max_size=4).map(
    lambda parts: "".join(a if a in (r"\b", "^", "$") else a + r for a, r in parts)
)


@settings(max_examples=200, deadline=None)
@given(PATTERNS, st.text(alphabet="ab1_ é\n²ß", max_size=12))
def test_both_engines_find_the_same(pattern: str, text: str) -> None:
    compiled = compile_pattern(pattern)
    expected = [
        match.span()
        for match in backtracking.finditer(pattern, text)
        if match.end() > match.start()
    ]
    assert [span for span in find_all(compiled, text) if span[1] > span[0]] == expected
    assert matches_whole(compiled, text) is (backtracking.fullmatch(pattern, text) is not None)


def test_views() -> None:
    assert tried({"regex": r"^\d+$"}, " 42\n").passed
    assert tried({"regex": {"pattern": r"^\d+$", "view": "raw"}}, " 42\n").passed is False
    assert tried(
        {"regex": {"pattern": r"\d+", "match": "full", "view": "unfenced"}}, "```\n42\n```"
    ).passed
    text = "\n  ab 12 cd 34"
    assert marked(tried({"regex": r"\d+"}, text), text) == ["12", "34"]


def test_many_matches_are_not_all_made() -> None:
    result = tried({"regex": "a"}, "a" * 300_000)
    assert result.passed
    assert "or more" in result.reason
    assert tried({"regex": {"pattern": "a", "max": 2}}, "a" * 300_000).passed is False


def test_running_out_of_time_is_an_error() -> None:
    with pytest.raises(CheckError, match="took longer than 1 s"):
        tried({"regex": r"^(a|a)*(?!x)$"}, "a" * 40 + "b")


@pytest.mark.parametrize(
    ("pattern", "told"), [("(", "missing"), ("a" * 1001, "longer than 1000"), ("", "at least 1")]
)
def test_bad_patterns_are_refused_at_once(pattern: str, told: str) -> None:
    with pytest.raises(SpecError, match=told):
        bind([{"regex": {"pattern": pattern}}])
