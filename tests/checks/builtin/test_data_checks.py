"""Every check of `table_data`: right is a pass, wrong is a fail, a bad argument is an error; hostile input ends soon."""

import time
from typing import Any

import pytest

from llmeval.checks.base import Result
from llmeval.checks.registry import all_checks
from llmeval.checks.spec import SpecError, bind
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case
from tests.checks.builtin.table_data import TABLE, said
from tests.checks.builtin.table_text import ROWS
from tests.checks.tried import marked, tried
from tests.support.tables import each_row

CASE = Case("a", {})


def evaluate(name: str, argument: Any, answer: Answer, case: Case = CASE) -> Result:
    if isinstance(argument, list):
        argument = {"options": argument[0]}
    (bound,) = bind([name if argument is None else {name: argument}])
    return bound.evaluate(case, answer, lambda value: value)


@each_row(("name", "argument", "right", "wrong", "bad"), TABLE, ids=[row[0] for row in TABLE])
def test_right_wrong_and_bad(
    name: str, argument: Any, right: Answer, wrong: Answer, bad: Any
) -> None:
    good = evaluate(name, argument, right)
    assert good.passed is True, good.reason
    failed = evaluate(name, argument, wrong)
    assert failed.passed is False
    assert failed.reason
    assert good.value is not None
    assert failed.value is not None
    assert 0 <= failed.value < good.value <= 1
    for span in (*good.evidence, *failed.evidence):
        assert 0 <= span.start < span.end <= max(len(right.text), len(wrong.text))
    with pytest.raises(SpecError):
        bind([{name: bad}])


def test_every_check_stands_in_a_table() -> None:
    """A right answer, a wrong one and a bad argument for each check id there is."""
    elsewhere = {name for name, kind in all_checks().items() if kind.group == "applications"}
    tabled = {row[0] for row in TABLE} | {row.name for row in ROWS}
    assert set(all_checks()) - tabled - elsewhere <= {"grounding"}


def test_references_stand_in_for_an_argument() -> None:
    case = Case("a", {}, references=("Paris", "City of Light"))
    assert evaluate("equals", None, said("City of Light"), case).passed
    assert evaluate("equals", None, said("Lyon"), case).passed is False
    assert evaluate("equals", None, said("x")).passed is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": 1, "a": 2}', "appears twice"),
        ('{"a": NaN}', "NaN"),
        ('{"a": 1} and more', "extra data"),
        ("{'a': 1}", "line 1, column 2"),
        ("", "empty"),
        ("[" * 100_000, "nested"),
        ('{"a": 1}\n{"a": 1}', "extra data"),
    ],
)
def test_json_is_read_strictly(text: str, told: str) -> None:
    result = evaluate("json", None, said(text))
    assert result.passed is False
    assert told.lower() in result.reason.lower()


def test_fences_round_json() -> None:
    fenced, bare = said('```\n{"a": 1}\n```'), said('{"a": 1}')
    assert [
        evaluate("json", {"fence": f}, fenced).passed for f in ("allow", "require", "forbid")
    ] == [
        True,
        True,
        False,
    ]
    assert [
        evaluate("json", {"fence": f}, bare).passed for f in ("allow", "require", "forbid")
    ] == [True, False, True]


def test_schemas_are_never_fetched(tmp_path: Any) -> None:
    (tmp_path / "s.json").write_text("{}")
    for reference in ("http://127.0.0.1:9/s.json", f"file://{tmp_path}/s.json"):
        with pytest.raises(SpecError, match="not a JSON Schema"):
            bind([{"json": {"schema": {"$ref": reference}}}])


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        (r"(?i)paris", "PARIS", True),
        (r"(\w+) \1", "the the", True),
        (r"foo(?!bar)", "foobar", False),
        (r"^b$", "a\nb", False),
    ],
)
def test_patterns(pattern: str, text: str, matches: bool) -> None:
    assert evaluate("regex", pattern, said(text)).passed is matches
    assert evaluate("regex", {"pattern": r"[a-z]+", "match": "full"}, said(" abc ")).passed
    assert evaluate("regex", {"pattern": r"[a-z]+", "match": "full"}, said("abc1")).passed is False
    assert evaluate("regex", {"pattern": "a", "min": 2, "max": 3}, said("aaaa")).passed is False


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|a)*b", r"(?=(a+)+$)b", r"(\w+\s?)*\1$"])
def test_no_pattern_hangs(pattern: str) -> None:
    started = time.monotonic()
    try:
        evaluate("regex", pattern, said("a" * 5000 + "!"))
    except CheckError as error:
        assert "took longer" in str(error)
    assert time.monotonic() - started < 20  # a hang, not a speed


@each_row("name", [row[0] for row in TABLE])
@each_row(
    "text",
    [
        "",
        "\x00",
        "\ufeff\u202e",
        "[" * 20_000,
        "`" * 20_000,
        "> " * 5_000,
        "- " * 20_000,
        "<a" * 20_000,
        "🙂" * 1000,
    ],
)
def test_hostile_answers_are_judged_or_refused(name: str, text: str) -> None:
    argument = next(row[1] for row in TABLE if row[0] == name)
    try:
        result = evaluate(name, argument, said(text))
    except CheckError:
        return
    assert result.passed in (True, False, None)
    assert all(0 <= span.start < span.end <= len(text) for span in result.evidence)


BOM = "\ufeff"


@each_row(
    ("check", "text", "passed"),
    [
        ("csv", "name\nAnn\nBob\n", True),
        ("csv", "Here is the list you asked for\nAnn\n", False),
        ("csv", "Names:\nAnn\n", False),
        ("csv", f"{BOM}a,b\n1,2\n", True),
        ({"csv": {"columns": ["a", "b"]}}, f"{BOM}a,b\n1,2\n", True),
        ("csv", "a,\n1,2\n", False),
        ("csv", "a,a\n1,2\n", False),
        ({"csv": {"columns": ["a", "a"]}}, "a,a\n1,2\n", True),
        ({"csv": {"types": {"a": "integer"}}}, "a,b\n١,2\n", False),
        ({"csv": {"types": {"a": "number"}}}, "a,b\n１.5,2\n", False),
        ({"csv": {"types": {"a": "date"}}}, "a,b\n٢٠٢٤-٠١-٠١,2\n", False),
        ("json", f'{BOM}{{"a": 1}}', True),
        ("json", f'```json\n{BOM}{{"a": 1}}\n```', True),
        ("yaml", f"{BOM}a: 1\n", True),
        ("toml", f"{BOM}a = 1\n", True),
        ({"bullets": {"exactly": 2}}, "• one\n• two", True),
        ({"bullets": {"exactly": 2}}, "•one\n•two", True),
        ({"bullets": {"exactly": 2, "marker": "–"}}, "– one\n– two", True),
        ({"bullets": {"exactly": 2, "marker": "-"}}, "– one\n- two", False),
        ({"bullets": {"exactly": 3, "max_depth": 2}}, "• one\n  ◦ two\n• three", True),
        ({"bullets": {"exactly": 0, "min": 0}}, "```\n• one\n```\n–5 degrees", True),
        ("words:no_consecutive", "# Big\n\nBears sleep", True),
        ("words:no_consecutive", "- red\n- round", True),
        ("words:no_consecutive", "red roses", False),
        ({"json_equals": {"value": {"a": 0.3}, "tolerance": 0.1}}, '{"a": 0.2}', True),
        ({"json_equals": {"value": {"a": 5.7}, "tolerance": 0.3}}, '{"a": 6}', True),
        ({"json_equals": {"value": {"a": 5.7}, "tolerance": 0.3}}, '{"a": 6.01}', False),
    ],
)
def test_forms_of_data_and_lists(check: object, text: str, passed: bool) -> None:
    result = tried(check, text)
    assert result.passed is passed, result.reason


def test_a_byte_order_mark_does_not_move_the_place_of_an_error() -> None:
    text = f'{BOM}{{"a" 1}}'
    assert marked(tried("json", text), text) == ["1"]
