"""One check tried on one text, as a suite would."""

from typing import Any

from llmeval.checks.base import Result
from llmeval.checks.spec import bind
from llmeval.core.records import Answer, Case

NO_CASE = Case("a", {})


def tried(check: Any, text: str, *references: str, **more: Any) -> Result:
    """What a check, as written in a suite, says about an answer."""
    (bound,) = bind([check])
    return bound.evaluate(
        Case("a", {}, references=references), Answer(case_id="a", output=text, **more), lambda v: v
    )


def marked(result: Result, text: str) -> list[str]:
    """What the evidence points at."""
    return [text[span.start : span.end] for span in result.evidence]
