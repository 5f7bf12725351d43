"""Checks as suites write them: short forms, negation, groups; and what is wrong is an error, never a pass."""

from typing import Any

import pytest

from llmeval.checks.spec import SpecError, bind, merge
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case
from llmeval.core.templates import is_template, render_value
from llmeval.models.loading import load_function
from tests.support.tables import each_row

CASE = Case("a", {"word": "Paris", "n": 3})
OWN = "tests.support.own"
LONGER = f"{OWN}:longer"


def results(raw: list[Any], text: str = "It is Paris.") -> list[tuple[str, bool | None]]:
    bound = bind(raw, is_template=is_template, load=load_function)
    values = dict(CASE.fields)
    evaluated = [
        (
            b.metric,
            b.evaluate(
                CASE, Answer(case_id="a", output=text), lambda v: render_value(v, values, "t")
            ),
        )
        for b in bound
    ]
    return [(metric, result.passed) for metric, result in evaluated]


def test_short_forms() -> None:
    raw = [{LONGER: 3}, {LONGER: {"than": 100}}, {LONGER: {"than": "{{ n }}", "metric": "mine"}}]
    assert results(raw) == [(LONGER, True), (f"{LONGER}#2", False), ("mine", True)]


def test_shipped_checks_have_short_forms_too() -> None:
    raw = [{"contains": "Paris"}, {"contains": "{{ word }}"}, {"max_words": 2}]
    assert results(raw) == [("contains", True), ("contains#2", True), ("max_words", False)]


def test_negation_turns_only_verdicts_round() -> None:
    assert results([{"not": {LONGER: 3}}, {"not": {LONGER: 100}}, {"not": f"{OWN}:none"}]) == [
        (f"not {LONGER}", False), (f"not {LONGER}#2", True), (f"not {OWN}:none", None),
    ]  # fmt: skip
    assert results([{"not": {"not": {LONGER: 3}}}])[0][1] is True
    with pytest.raises(ZeroDivisionError):
        results([{"not": f"{OWN}:crash"}])


@pytest.mark.parametrize(
    ("group", "passed"),
    [
        ({"any": [{LONGER: 100}, {LONGER: 1}]}, True),
        ({"any": [{LONGER: 100}, {LONGER: 200}]}, False),
        ({"all": [{LONGER: 100}, {LONGER: 1}]}, False),
        ({"all": [{LONGER: 1}, f"{OWN}:none"]}, True),
        ({"any": [f"{OWN}:none"]}, None),
        ({"at_least": {"k": 2, "of": [{LONGER: 1}, {LONGER: 2}, {LONGER: 100}]}}, True),
        ({"at_least": {"k": 3, "of": [{LONGER: 1}, {LONGER: 2}, {LONGER: 100}]}}, False),
        ({"not": {"any": [{LONGER: 1}]}}, False),
    ],
)
def test_groups(group: Any, passed: bool | None) -> None:
    assert results([group])[0][1] is passed


def test_an_error_in_a_group_is_the_groups() -> None:
    with pytest.raises(ZeroDivisionError):
        results([{"any": [{LONGER: 1}, f"{OWN}:crash"]}])


@each_row(
    ("raw", "path", "told"),
    [
        (["contians"], (0,), "unknown check 'contians'; did you mean 'contains'"),
        ([{"max_words": "many"}], (0, "max_words"), "integer"),
        (["max_words"], (0,), "needs the argument"),
        ([{"max_words": {"mx": 3}}], (0, "max_words"), "it takes: "),
        (
            [{LONGER: {"than": "{{ n }}", "then": 3}}],
            (0, LONGER),
            "has no argument 'then'; it takes: than",
        ),
        ([{LONGER: {"metric": "m"}}], (0, LONGER), "needs the argument 'than'"),
        ([{f"{OWN}:none": 3}], (0, f"{OWN}:none"), "takes no argument"),
        ([3], (0,), "a check is `name`"),
        ([{}], (0,), "a check is `name`"),
        ([{"contains": "a", "max_words": 3}], (0,), "has several checks"),
        ([{"any": []}], (0, "any"), "needs a list of checks"),
        ([{"at_least": {"k": 3, "of": [{LONGER: 1}]}}], (0, "at_least"), "from 1 to 1"),
        ([{"at_least": {"k": 1, "off": []}}], (0, "at_least"), "unknown key 'off'"),
        ([{"not": {"any": [{"nope": 1}]}}], (0, "not", "any", 0, "nope"), "unknown check"),
        (["tests.support.own:missing"], (0,), "has no 'missing'"),
        (["no.such.module:f"], (0,), "can't import"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    raw: list[Any], path: tuple[Any, ...], told: str
) -> None:
    with pytest.raises((SpecError, Exception), match=told) as caught:
        bind(raw, is_template=is_template, load=load_function)
    if isinstance(caught.value, SpecError):
        assert caught.value.path == path


@pytest.mark.parametrize("name", ["outside", "wrong"])
def test_a_check_that_breaks_its_promise_is_an_error(name: str) -> None:
    with pytest.raises(CheckError, match="the check returned"):
        results([f"{OWN}:{name}"])


def test_a_template_that_gives_a_bad_argument_is_an_error() -> None:
    with pytest.raises(CheckError, match="integer"):
        results([{LONGER: "{{ word }}"}])


def test_a_cases_own_checks_get_names_of_their_own() -> None:
    one = bind([{LONGER: 1}], load=load_function)
    two = bind([{LONGER: 2}], load=load_function)
    assert [b.metric for b in merge(one, two)] == [LONGER, f"{LONGER}#2"]
