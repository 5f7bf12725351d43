"""`equal`, `at_most` and `at_least`; `json_fields` and what its reasons tell apart."""

import json
from typing import Any

import pytest

from llmeval.checks.spec import SpecError, bind
from llmeval.core.errors import CheckError
from tests.checks.tried import tried
from tests.support.tables import each_row


@each_row(
    ("check", "passed", "reason"),
    [
        ({"equal": {"got": {"a": [1, 2]}, "want": {"a": [1, 2.0]}}}, True, "expected value"),
        ({"equal": {"got": "1", "want": 1}}, False, 'is "1", expected 1'),
        ({"equal": {"got": True, "want": 1}}, False, "is true, expected 1"),
        ({"equal": {"got": None, "want": None}}, True, ""),
        ({"equal": {"got": [2, 1], "want": [1, 2]}}, False, "[0]: is 2"),
        ({"equal": {"got": [2, 1], "want": [1, 2], "any_order": True}}, True, ""),
        ({"equal": {"got": {"a": 1, "b": 2}, "want": {"a": 1}}}, False, "2 is not expected"),
        ({"equal": {"got": {}, "want": {"a": {"b": 1}}}}, False, "is missing"),
        ({"equal": {"got": 1.05, "want": 1, "tolerance": 0.1}}, True, ""),
        ({"at_most": {"got": 4, "limit": 4}}, True, "4; expected at most 4"),
        ({"at_most": {"got": 4.01, "limit": 4}}, False, "4.01; expected at most 4"),
        ({"at_most": {"got": "3", "limit": 4}}, True, ""),
        ({"at_most": {"got": None, "limit": 4}}, False, "“null” is not a number"),
        ({"at_most": {"got": True, "limit": 4}}, False, "is not a number"),
        ({"at_most": {"got": "-1,200", "limit": 4}}, False, "is not a number"),
        ({"at_most": {"got": float("nan"), "limit": 4}}, False, "is not a number"),
        ({"at_least": {"got": 0.9, "limit": 0.8}}, True, "0.9; expected at least 0.8"),
        ({"at_least": {"got": 10**400, "limit": 0.8}}, False, "is not a number"),
        ({"at_least": {"k": 1, "of": [{"max_words": 3}, {"contains": "y"}]}}, True, "of 2 checks"),
    ],
)
def test_values(check: Any, passed: bool, reason: str) -> None:
    result = tried(check, "x")
    assert result.passed is passed
    assert reason in result.reason


@pytest.mark.parametrize("check", [{"at_least": 3}, {"at_least": {"limit": 3}}, {"at_most": 3}])
def test_a_limit_without_a_number_is_refused(check: Any) -> None:
    with pytest.raises(SpecError, match="got|limit"):
        bind([check])


WANT = {"total": 1234.5, "vendor": "Acme GmbH", "date": "2031-04-03", "vat": None}
FIELDS = {"total": {"tolerance": 0.01}, "vendor": {"fold": True}, "date": {"date": True}}


def record(**changed: Any) -> str:
    fields = {"total": 1234.5, "vendor": "Acme GmbH", "date": "2031-04-03"} | changed
    return json.dumps({name: value for name, value in fields.items() if value != "gone"})


def test_a_record_that_is_null_is_not_read_from_the_text() -> None:
    check = {"json_fields": {"want": {"a": 1, "b": None}, "got": None}}
    result = tried(check, '{"a": 1}')
    assert (result.passed, result.value) == (False, 0.0)
    assert "null" in result.reason


def test_punctuation_alone_is_not_folded_away() -> None:
    check = {"json_fields": {"want": {"a": "!!!"}, "fields": {"a": {"fold": True}}}}
    assert tried(check, '{"a": "!!!"}').passed
    assert not tried(check, '{"a": "???"}').passed
    assert not tried(check, '{"a": ""}').passed


# (the answer, the fields that fail, a part of the reason)
RECORDS: list[tuple[str, set[str], str]] = [
    (record(), set(), "all 3 fields are right"),
    (f"```json\n{record()}\n```", set(), ""),
    (record(total=1234.504, vendor="ACME, GmbH.", date="3 April 2031"), set(), ""),
    (record(total=1234.6), {"total"}, "is 1234.6, expected 1234.5"),
    (record(total="1234.5"), {"total"}, "a number as text"),
    (record(total="1.234,50 €"), {"total"}, "a number as text, with separators or a unit"),
    (record(total=1.2345), {"total"}, "a thousands separator was read as a decimal point"),
    (record(total=12345), {"total"}, "10 times the wanted number"),
    (record(total=-1234.5), {"total"}, "the sign is wrong"),
    (record(total="gone"), {"total"}, "total: the field is missing"),
    (record(total=None), {"total"}, "is null"),
    (record(total=True), {"total"}, "is true"),
    (record(date="2031-03-04"), {"date"}, "day and month are swapped"),
    (record(date="03/04/2031"), {"date"}, "the order of day and month is open"),
    (record(date="2031-04-13"), {"date"}, 'is "2031-04-13"'),
    (record(date="April 2031"), {"date"}, "not one full date"),
    (record(date=20310403), {"date"}, "not one full date"),
    (record(vendor="Acme AG"), {"vendor"}, 'is "Acme AG"'),
    (record(vendor=["Acme GmbH"]), {"vendor"}, "not a text"),
    (f"Here you are: {record()} Cheers", set(), "there is prose around the JSON"),
    (f"Here you are: {record(total=1)}", {"total"}, "there is prose around the JSON; total: is 1"),
    ("Sorry, no.", {"total", "vendor", "date"}, "not valid JSON"),
    ("[1]", {"total", "vendor", "date"}, "the JSON is not an object but a list"),
    (record() + record(), {"total", "vendor", "date"}, "there are 2 JSON objects"),
    ("", {"total", "vendor", "date"}, "the answer is empty"),
]


@each_row(("text", "failing", "reason"), RECORDS, ids=[row[0] for row in RECORDS])
def test_fields(text: str, failing: set[str], reason: str) -> None:
    result = tried({"json_fields": {"want": WANT, "fields": FIELDS}}, text)
    assert {name for name, part in result.metrics.items() if not part.passed} == failing
    assert reason in result.reason
    assert result.passed is (not failing and "prose" not in reason)
    assert result.value == pytest.approx(1 - len(failing) / 3)


@pytest.mark.parametrize(
    ("want", "fields", "got", "failing"),
    [
        ({"vat": None}, ["vat"], {}, []),
        ({"vat": None}, ["vat"], {"vat": 3}, ["vat"]),
        ({"a": 1}, ["a", "vat"], {"a": 1, "vat": None}, []),
        ({"a": {"b": [1, 2]}}, ["a.b", "a.b.1"], {"a": {"b": [1, 2]}}, []),
        ({"a": {"b": [1, 2]}}, ["a.b", "a.b.1"], {"a": {"b": [1, 3]}}, ["a.b", "a.b.1"]),
        ({"a": 1, "b": "x"}, None, {"a": 1, "b": "X", "c": 0}, ["b"]),
        ('{"a": 1}', None, {"a": 1}, []),
    ],
)
def test_fields_of_a_value(want: Any, fields: Any, got: Any, failing: list[str]) -> None:
    result = tried({"json_fields": {"want": want, "fields": fields, "got": got}}, "no JSON")
    assert [name for name, part in result.metrics.items() if not part.passed] == failing


def test_a_want_with_none_of_the_fields_is_an_error() -> None:
    # A misspelt name in `fields` would let every answer without it pass.
    check = {"json_fields": {"want": {"total": 3}, "fields": ["totl"], "got": {"total": 4}}}
    with pytest.raises(CheckError, match=r"none of the `fields` \(“?totl"):
        tried(check, "no JSON")


def test_a_wanted_date_that_leaves_doubt_is_an_error() -> None:
    check = {"json_fields": {"want": {"d": "03/04/2031"}, "fields": {"d": {"date": True}}}}
    with pytest.raises(CheckError, match="leaves no doubt"):
        tried(check, '{"d": "2031-04-03"}')


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"want": "{{ want }}", "fields": {"total": {}, "a.b": {"fold": True}}}, ["total", "a.b"]),
        ({"want": {"total": "{{ total }}"}}, ["total"]),
        ({"want": "{{ want }}"}, []),
    ],
)
def test_fields_are_metrics_before_the_run(arguments: Any, names: list[str]) -> None:
    (bound,) = bind([{"json_fields": arguments}], is_template=lambda value: True)
    assert list(bound.metrics) == ["json_fields", *(f"json_fields.{name}" for name in names)]
