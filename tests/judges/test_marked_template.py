"""A team's own judge prompt gets marker lines around foreign text that has none."""

import pytest

from llmeval.core.errors import SuiteError
from llmeval.judges.marked_template import marked
from llmeval.judges.protocol import parse_protocol

HEAD = """\
---
version: 1
schema: {type: object, required: [verdict], properties: {verdict: {enum: [good, bad]}}}
values: {good: 1, bad: 0}
pass: [good]
---
[user]
"""
LINES = "{{ fence }} BEGIN ANSWER\n{{ answer }}\n{{ fence }} END ANSWER"


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("{{ answer }}", ["ANSWER"]),
        ("About: {{ data.texts | join(', ') }}.", ["DATA"]),
        ("{% for p in data.texts %}- {{ p }}\n{% endfor %}", ["P"]),
        ("{% set x = context %}{{ x }}", ["X"]),
        ("{{- question | upper -}}", ["QUESTION"]),
        ("{% if context is defined %}{{ context }}{% endif %}", ["CONTEXT"]),
        ("The marker is {{ fence }} {{ answer }}", ["ANSWER"]),
        ("{{ fence }} BEGIN A\n{{ answer }}\n{{ fence }} END A\n{{ question }}", ["QUESTION"]),
        ("{{ fence }}\n{{ answer }}\n{{ fence }}\n{{ turns[0].output }}", ["TURNS"]),
        ("{{ criteria[0].name ~ question }}", ["QUESTION"]),
    ],
)
def test_foreign_text_gets_lines(source: str, names: list[str]) -> None:
    result = marked(source)
    assert [f"{{{{ fence }}}} BEGIN {name}\n" in result for name in names] == [True] * len(names)
    assert result.count("BEGIN") == max(source.count("BEGIN") + 1, 1)
    assert marked(result) == result, "marked once"


@pytest.mark.parametrize(
    "source",
    [
        LINES,
        "{{ fence }}\n{{ answer }} and {{ data }}\n{{ fence }}",
        "{% for c in criteria %}- {{ c.name }}: {{ c.statement }}{% endfor %}",
        "{{ turns | length }} turns, {{ loop.index }}, {{ 'words' }}",
        "{{ not valid",
        "no template",
    ],
)
def test_everything_else_stays(source: str) -> None:
    assert marked(source) == source


def test_the_judge_is_another_one() -> None:
    """The digest covers the lines, because the judge sees them."""
    text = HEAD + "{{ answer }}"
    own, shipped = parse_protocol(text, "p.j2"), parse_protocol(text, "p.j2", shipped=True)
    assert own.digest != shipped.digest
    assert own.turns[0][1].source == LINES + "\n"
    text = HEAD + LINES
    assert parse_protocol(text, "p.j2").digest == parse_protocol(text, "p", shipped=True).digest


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "version: 1",
            "version: one",
            r"p.j2:2: version: the head is not valid: input should be a",
        ),
        ("version: 1\n", "", "p.j2:2: version: .*this key is missing"),
        (
            "pass: [good]",
            "pass: [good]\nlanguage: de",
            "p.j2:6: language: .*there is no such key; valid",
        ),
        ("bad: 0}", "bad: {}}", "p.j2:4: values.bad: "),
        ("pass: [good]", "pass: [good", "p.j2:5: the head is not valid YAML"),
    ],
)
def test_a_wrong_head_is_named_with_its_line(old: str, new: str, message: str) -> None:
    with pytest.raises(SuiteError, match=message) as caught:
        parse_protocol((HEAD + LINES).replace(old, new, 1), "p.j2")
    assert "pydantic" not in str(caught.value) and "_Head" not in str(caught.value)
