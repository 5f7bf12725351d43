"""Templates: strict, sandboxed, and never applied to data."""

import pytest

from llmeval.core.errors import SuiteError
from llmeval.core.records import Case
from llmeval.core.templates import (
    Template,
    case_values,
    is_template,
    render_value,
    variables_in,
)


def test_values_are_data_not_templates() -> None:
    assert (
        Template("{{ q }}", "t").render({"q": "{{ 7 * 7 }} ${HOME} {% raw %}"})
        == "{{ 7 * 7 }} ${HOME} {% raw %}"
    )


def test_an_undefined_name_says_what_there_is() -> None:
    with pytest.raises(SuiteError, match=r"t: 'questin' is undefined; this case has: question"):
        Template("{{ questin }}", "t").render({"question": "x"})
    with pytest.raises(SuiteError, match=r"t, template line 1"):
        Template("{% if %}", "t")


def test_an_expression_keeps_its_type() -> None:
    values = case_values(Case("a", {"n": 3}, references=("x", "y")))
    assert render_value("{{ references }}", values, "t") == ["x", "y"]
    assert render_value("{{ n }}", values, "t") == 3
    assert render_value("n={{ n }}", values, "t") == "n=3"
    assert render_value({"a": ["{{ reference }}", 1]}, values, "t") == {"a": ["x", 1]}
    with pytest.raises(SuiteError, match="not defined"):
        render_value("{{ nothing }}", values, "t")


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'a' * 1000000000 }}",
        "{{ 1000000000 * 'a' }}",
        "{{ [1] * 1000000000 }}",
        "{{ 10 ** (10 ** 9) }}",
        "{{ '%999999999d' % 1 }}",
        "{{ 'a'.center(1000000000) }}",
        "{{ 'a' | center(1000000000) }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ ''.format.__globals__ }}",
        "{% for i in range(1000000) %}{{ i }}{% endfor %}",
    ],
)
def test_hostile_templates_are_refused(source: str) -> None:
    with pytest.raises(SuiteError):
        Template(source, "t").render({})


def test_is_template() -> None:
    assert is_template(["x", {"a": "{{ b }}"}])
    assert not is_template({"a": ["x", 1]})


@pytest.mark.parametrize(
    "expression",
    [
        "{{ data.absent.x }}",
        "{{ 1 / 0 }}",
        "{{ data + 1 }}",
        "{{ data | round }}",
        "{{ 'x' | int | join }}",
        "{{ data.items(1, 2) }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ data | lenght }}",
    ],
)
def test_an_expression_that_fails_names_its_key(expression: str) -> None:
    with pytest.raises(SuiteError, match=r"suite\.yaml:4: until: "):
        render_value(expression, {"data": {"ids": []}}, "suite.yaml:4: until")


def test_an_unknown_filter_is_refused_before_it_is_used() -> None:
    with pytest.raises(SuiteError, match="No filter named 'lenght'"):
        variables_in({"steps": "{{ tool_calls | lenght }}"})


def test_a_field_may_have_the_name_of_an_argument() -> None:
    assert render_value("{{ n + 1 }}", {"self": "a", "n": 1}, "t") == 2
