"""No text, however it is made, brings a check down or makes it take more than linear work.

Work is counted, not timed: calls of functions, of Python and of C, at one length and at twice that length. What one call
of a C function does is not counted; `benchmarks/checks.py --only megabyte` takes the time of every check.
"""

import contextlib
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from llmeval.checks.base import Result
from llmeval.checks.bound import BoundCheck
from llmeval.checks.examples import example
from llmeval.checks.registry import all_checks
from llmeval.checks.spec import bind
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case
from tests.checks.hostile_texts import ENDS, PIECES, hostile

CASE = Case(
    "a",
    {"question": "Which?"},
    references=("Paris",),
    context="The cat sat. Paris is in France, 12 km away.",
)
FUNCTIONS = sorted({kind.function: name for name, kind in reversed(all_checks().items())}.values())
SIZE = 400
GROWTH = 3.0
"""Linear work doubles; the rest is what starts once, and caches."""
SMALL = 15_000
"""Calls that may be thresholds and caches; quadratic work has twenty times as many at twice `SIZE`."""
PART = 3
"""Each check reads a third of the pieces, so that all are read by a third of the checks."""


def evaluate(bound: BoundCheck, text: str) -> Result:
    return bound.evaluate(
        CASE, Answer(case_id="a", output=text, finish_reason="stop"), lambda value: value
    )


def calls(bound: BoundCheck, text: str) -> tuple[int, Result | None]:
    """How many calls a check makes on a text, and its result; None where it can't read the text."""
    count = 0

    def counted(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    result = None
    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        result = evaluate(bound, text)
    except CheckError:
        pass
    finally:
        sys.setprofile(before)
    return count, result


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_check_takes_any_text_in_linear_work(name: str) -> None:
    found = example(name)
    assert found is not None
    (bound,) = bind([found.check])
    for index, piece in list(enumerate(PIECES))[FUNCTIONS.index(name) % PART :: PART]:
        end = ENDS[index % len(ENDS)]
        text = hostile(piece, end, 2 * SIZE)
        with contextlib.suppress(CheckError):
            evaluate(bound, text)  # imports and caches; uncounted, for counting takes longer
        few, _ = calls(bound, hostile(piece, end, SIZE))
        many, result = calls(bound, text)
        assert many <= GROWTH * few + SMALL, (piece, few, many)
        if result is not None:
            assert all(0 <= span.start <= span.end <= len(text) for span in result.evidence), piece
            assert result.value is None or 0 <= result.value <= 1


def test_the_count_sees_quadratic_work() -> None:
    class Quadratic(BoundCheck):
        identity: Mapping[str, Any] = {}

        def applies(self, case: Case) -> bool:
            return True

        def prepare(self, case: Case, render: Any) -> None:
            pass

        def evaluate(self, case: Case, answer: Answer, render: Any) -> Result:
            for start in range(len(answer.text)):
                for _ in range(start):
                    len(answer.text)
            return Result(None, None)

    few, many = (calls(Quadratic(), "a" * size)[0] for size in (SIZE, 2 * SIZE))
    assert many > GROWTH * few + SMALL
