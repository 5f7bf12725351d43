"""D021: answers without knowledge must not pass a suite."""

from pathlib import Path

import pytest

from tests.datatests.planting import Row, of_rule, report, rows, write


def _numbers(n: int) -> list[Row]:
    return [{**row, "reference": str(3 + number % 90)} for number, row in enumerate(rows(n))]


def _echoes(n: int) -> list[Row]:
    return [{**row, "question": f"{row['question']} It is {row['reference']}."} for row in rows(n)]


def _same_reference(n: int) -> list[Row]:
    return [
        {**row, "reference": f"the amber gate {number % 8}"} for number, row in enumerate(rows(n))
    ]


PLANTS = [
    # name of the answer, cases, checks
    ("the numbers 0 to 100", _numbers, '[{contains: "{{ reference }}"}]'),
    ("an echo of the prompt", _echoes, '[{contains: "{{ reference }}"}]'),
    ("an echo of the prompt", _echoes, '[{icontains: "{{ reference }}"}]'),
    ("the 20 most common references", _same_reference, '[{contains: "{{ reference }}"}]'),
    ("an empty answer", rows, "[{max_words: 20}]"),
    ("I don't know.", rows, "[{not: {contains: sorry}}]"),
    ("Yes. No.", rows, "[{icontains: 'yes'}]"),
    ("I have no comment.", rows, "[{contains: comment}]"),
    ("the reference of another case", rows, "[{regex: '^[a-z]+ [a-z]+$'}]"),
]  # fmt: skip
FLOORS = [0.1, 0.3, 0.5, 0.7, 0.9, 1.0]


@pytest.mark.parametrize("floor", FLOORS)
@pytest.mark.parametrize(("answer", "cases", "checks"), PLANTS)
def test_an_answer_that_reaches_the_floor_is_an_error(
    tmp_path: Path, answer, cases, checks, floor
) -> None:
    """54 planted suites: 9 kinds of answers at 6 floors."""
    gate = f"gate: {{floors: {{cases: {floor}}}}}"
    result = report(write(tmp_path, cases(12), checks=checks, extra=gate), "D021")
    errors = [finding for finding in of_rule(result, "D021") if f"`{answer}`" in finding.message]
    assert [finding.level for finding in errors] == ["error"]
    assert "gate.floors.cases" in errors[0].message
    assert errors[0].file.endswith("demo.yaml") and errors[0].line


def test_without_a_floor_it_is_a_warning(tmp_path: Path) -> None:
    checks = '[{contains: "{{ reference }}"}]'
    result = report(write(tmp_path, _numbers(20), checks=checks), "D021")
    assert [finding.level for finding in of_rule(result, "D021")] == ["warn"] * 2
    assert not result.failed


def test_a_floor_on_length_next_to_one_on_content_is_no_finding(tmp_path: Path) -> None:
    """Each short answer reaches the floor of `max_words`; the gate still fails it."""
    gate = "gate: {floors: {facts: 0.4, max_words: 0.9}}"
    path = write(tmp_path, rows(30), checks="[facts, {max_words: 30}]", extra=gate)
    assert of_rule(report(path, "D021"), "D021") == []


def test_the_default_gate(tmp_path: Path) -> None:
    path = write(tmp_path, rows(10), checks="[{max_words: 30}]", extra="")
    levels = {finding.level for finding in of_rule(report(path, "D021"), "D021")}
    assert levels == {"error"}


def test_a_sample_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, rows(400), checks="[{max_words: 30}]")
    assert "of 300 cases (a sample of 400)" in of_rule(report(path, "D021"), "D021")[0].message
