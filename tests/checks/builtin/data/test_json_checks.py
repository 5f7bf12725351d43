"""JSON is read as RFC 8259 has it and more strictly, and schemas decide what it means."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmeval.checks.builtin.data.json_checks import parse_json
from llmeval.checks.reading.payload import Malformed
from llmeval.core.errors import CheckError
from tests.checks.tried import marked, tried

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(VALUES)
def test_what_json_writes_is_read_back(value: Any) -> None:
    text = json.dumps(value, indent=2)
    assert parse_json(text) == value
    assert tried({"json_equals": {"value": json.dumps(value)}}, text).passed or value is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Infinity", "not a JSON value"),
        ("1e999", "too large"),
        ("9" * 5000, "too many digits"),
        ('"\\ud800"', "half of a character"),
        ("[" * 300 + "]" * 300, "nested deeper than 200"),
        ('{"a":1,}', "line 1, column"),
        ("\ufeff{}", "expecting value"),
    ],
)
def test_what_readers_disagree_on_is_refused(text: str, told: str) -> None:
    with pytest.raises(Malformed, match=told):
        parse_json(text)


def test_pairs_of_halves_and_brackets_in_texts_are_fine() -> None:
    assert parse_json('"\\ud83d\\ude00"') == "😀"
    assert parse_json(json.dumps("[" * 1000)) == "[" * 1000


@pytest.mark.parametrize(
    ("text", "place"),
    [('```json\n{"a" 1}\n```', "1"), ('  {"a": 1} x', "x"), ("[1,\n 2,,]", ",")],
)
def test_the_place_is_pointed_at(text: str, place: str) -> None:
    assert marked(tried("json", text), text) == [place]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('See [1] and {"a": 1}.', ['{"a": 1}']),
        ("As [1, 2] show", []),
        ('Set {x} = {"b": [1, {"c": 2}]} now', ['{"b": [1, {"c": 2}]}']),
        ("```json\n[true]\n```", ["[true]"]),
        ('{"a": 1, "a": 2}', []),
        ("[" * 100_000, []),
    ],
)
def test_json_is_found_in_prose(text: str, found: list[str]) -> None:
    result = tried("contains_json", text)
    assert marked(result, text) == found
    assert result.passed is bool(found)


def test_a_schema_chooses_among_the_json_there_is() -> None:
    schema = {"required": ["b"]}
    result = tried({"contains_json": {"schema": schema}}, '{"a": 1} {"b": 2}')
    assert marked(result, '{"a": 1} {"b": 2}') == ['{"b": 2}']
    assert (
        '"b" is a required property'
        in tried({"contains_json": {"schema": schema}}, '{"a": 1}').reason
    )


def test_formats_and_places_of_a_schema_count() -> None:
    schema = {"properties": {"when": {"type": "array", "items": {"format": "date"}}}}
    result = tried({"json": {"schema": schema}}, '{"when": ["2024-02-29", "2023-02-29"]}')
    assert result.passed is False
    assert result.reason.startswith("the JSON does not follow the schema: when[1]: ")
    assert tried({"json": {"schema": json.dumps(schema)}}, '{"when": []}').passed


@pytest.mark.parametrize(
    ("options", "given_", "value"),
    [
        ({}, '{"b": {"c": "x"}, "a": [1.0, 2]}', 1.0),
        ({}, '{"a": [2, 1], "b": {"c": "x"}}', 1 / 3),
        ({"any_order": True}, '{"a": [2, 1], "b": {"c": "x"}}', 1.0),
        ({}, '{"a": [1, 2], "b": {"c": "x"}, "d": 1}', 3 / 4),
        ({"extra": True}, '{"a": [1, 2], "b": {"c": "x"}, "d": 1}', 1.0),
        ({"tolerance": 0.1}, '{"a": [1.05, 2], "b": {"c": "x"}}', 1.0),
        ({}, '{"a": [1, 2]}', 2 / 3),
        ({}, '{"a": [true, 2], "b": {"c": "x"}}', 2 / 3),
        ({}, "[]", 0.0),
    ],
)
def test_json_equals(options: dict[str, Any], given_: str, value: float) -> None:
    result = tried({"json_equals": {"value": {"a": [1, 2], "b": {"c": "x"}}, **options}}, given_)
    assert result.value == pytest.approx(value)
    assert result.passed is (value == 1.0)


def test_the_nearest_reference_counts() -> None:
    assert tried("json_equals", '{"a": 1}', '{"a": 2}', '{"a": 1.0}').passed
    assert tried("json_equals", "{}").passed is None
    with pytest.raises(CheckError, match="is not JSON"):
        tried("json_equals", "{}", "{a}")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', 1.0),
        ("{'a': 1,}", 0.5),
        ('Sure! {"a": [1, 2', 0.5),
        ("It is Paris.", 0.0),
        ("42", 0.0),
    ],
)
def test_what_repair_could_save_gets_half(text: str, value: float) -> None:
    assert tried("json_repairable", text).value == value
