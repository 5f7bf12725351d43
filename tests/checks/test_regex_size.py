"""Patterns that compile to gigabytes are refused by the size that their counts multiply to."""

import pytest

from llmeval.checks.builtin.text.regex_size import MAX_GROUPS, MAX_ITEMS, check_size
from llmeval.checks.spec import SpecError, bind


@pytest.mark.parametrize(
    "pattern",
    [
        "a{100001}",
        "(a{1000}){1000}",
        "((a{100}){100}){100}",
        "[a-z]{400}{400}",
        "(?:ab|cd){60000}",
        "(a{2,50000}b){3}",
        "(" * (MAX_GROUPS + 1) + "a" + ")" * (MAX_GROUPS + 1),
        "\\d{200000}",
    ],
)
def test_a_bomb_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=f"{MAX_GROUPS}|{MAX_ITEMS}|{MAX_ITEMS:,}"):
        check_size(pattern)
    with pytest.raises(SpecError):
        bind([{"regex": pattern}])


@pytest.mark.parametrize(
    "pattern",
    [
        "a{1000}",
        "(a{100}){100}",
        "[{}]{3}\\{99999999\\}",
        "\\({200}",
        "(?P<year>\\d{4})-\\d{2}",
        "(" * 50 + "a" + ")" * 50,
        "a{,3}b{2,}",
    ],
)
def test_ordinary_patterns_are_not(pattern: str) -> None:
    check_size(pattern)
