"""The examples that `checks show` and the documents print are YAML of a suite, and do what they say."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from llmeval.checks.examples import example
from llmeval.checks.registry import all_checks
from llmeval.checks.spec import bind
from llmeval.cli.checks import show
from llmeval.core.records import Answer, Case
from llmeval.core.templates import is_template, render_value
from tests.support.tables import each_row

PAGES = Path(__file__).parents[2] / "docs" / "checks"
_SECTION = re.compile(r"^## `([^`\n]+)`\n(.*?)(?=^## `|\Z)", re.MULTILINE | re.DOTALL)
_YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WRITTEN = {
    name: _YAML.findall(section)
    for page in sorted(PAGES.glob("*.md"))
    for name, section in _SECTION.findall(page.read_text(encoding="utf-8"))
}


def runs_as_it_says(name: str, text: str) -> None:
    """A text as YAML is a list of one check, which passes and fails the example's answers."""
    found = example(name)
    assert found is not None
    checks: Any = yaml.safe_load(text)
    assert isinstance(checks, list)
    (bound,) = bind(checks, is_template=is_template)
    assert bound.metric == name
    answers = ((found.passes, True), (found.fails, False))
    tried = [({}, Answer(case_id="a", output=text), ok) for text, ok in answers if text is not None]
    for data, ok in ((found.passes_with, True), (found.fails_with, False)):
        if data is not None:
            fields = {key: value for key, value in data.items() if key != "tool_calls"}
            calls = tuple(data.get("tool_calls", ()))
            tried.append((fields, Answer(case_id="a", output="", tool_calls=calls), ok))
    for fields, answer, passed in tried:
        case = Case("a", fields, context=found.context)

        def render(value: Any, values: Any = fields) -> Any:
            return render_value(value, values, name)

        result = bound.evaluate(case, answer, render)
        assert result.passed is passed, (answer, result.reason)


@each_row("name", list(all_checks()))
def test_the_examples_of_the_documents(name: str) -> None:
    assert example(name) is not None, "add one to llmeval/checks/examples.yaml"
    (text,) = WRITTEN[name]
    runs_as_it_says(name, text)


@pytest.mark.parametrize("name", list(all_checks()))
def test_the_examples_that_checks_show_prints(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert show(name) == 0
    printed = capsys.readouterr().out.partition("\nExample\n")[2]
    runs_as_it_says(name, printed.split("\n")[0])
    assert all(
        line.startswith(("  - ", "  context: ", "  passes", "  fails"))
        for line in printed.splitlines()
    )
