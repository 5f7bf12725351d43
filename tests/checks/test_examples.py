"""The examples that `checks show` and the documents print do what they say."""

import pytest

from llmeval.checks.examples import example
from llmeval.checks.registry import all_checks
from llmeval.checks.spec import bind
from llmeval.records import Answer, Case


@pytest.mark.parametrize("name", list(all_checks()))
def test_an_example_passes_and_fails_as_it_says(name: str) -> None:
    found = example(name)
    assert found is not None, "add one to llmeval/checks/examples.yaml"
    (bound,) = bind([found.check])
    assert bound.metric == name
    assert name in found.written
    for text, passed in ((found.passes, True), (found.fails, False)):
        if text is not None:
            case = Case("a", {}, context=found.context)
            result = bound.evaluate(case, Answer(case_id="a", output=text), lambda value: value)
            assert result.passed is passed, (text, result.reason)
