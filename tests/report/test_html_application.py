"""What the page shows of an application's answer: turns, tool calls, passages, fields, a trace."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmeval.core.records import (
    Answer,
    AnswerTurn,
    Case,
    ErrorInfo,
    Score,
    Status,
    Usage,
)
from llmeval.core.trace_steps import Trace, TraceStep
from llmeval.report.html import write_html
from llmeval.store.directory import RunDir
from tests.report import html_samples as samples
from tests.report.test_html_browser import AXE, AXE_SOURCE, RULES, Watched
from tests.support.chromium import CHROMIUM, launched

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium; name one in CHROMIUM"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
TALK, SEARCH, RECORD, LINK, LOST = "talk", "search", "record", "link", "lost"
FIND = {"name": "find_order", "arguments": {"order": "17"}, "result": {"days": 4}}
REFUND = {"name": "refund", "arguments": {"order": "17", "amount": 90}, "result": samples.HOSTILE}


def score(case_id: str, metric: str, passed: bool, reason: str = "", **more: Any) -> Score:
    return Score(
        case_id=case_id,
        metric=metric,
        status=Status.PASS if passed else Status.FAIL,
        value=float(passed),
        passed=passed,
        reason=reason,
        **more,
    )


def talk(case_id: str, second: str, **more: Any) -> Answer:
    """A conversation of two turns."""
    turns = (
        AnswerTurn(
            user="Refund order 17.",
            output="It cost 9 euros. Shall I?",
            tool_calls=(FIND,),
            latency_ms=812,
            usage=Usage(40, 8),
            data={"stage": "found"},
        ),
        AnswerTurn(
            user="Yes.",
            output=second,
            tool_calls=(REFUND,),
            latency_ms=90,
            data={"refunds": {"17": 90}},
            trace=Trace(steps=(TraceStep(name="pay"),)),
        ),
    )
    return Answer(
        case_id=case_id,
        output=second,
        turns=turns,
        tool_calls=(FIND, REFUND),
        data=turns[-1].data,
        **more,
    )


CASES = [
    Case(id=TALK, fields={"says": ["Refund order 17.", "Yes."], "calls": [FIND]}),
    Case(id=SEARCH, fields={"question": "Who paints fences?"}, references=("Rita",)),
    Case(id=RECORD, fields={"text": "Acme, 3 April", "record": {"total": 12.5}}),
    Case(id=LINK, fields={"question": "And now?"}),
    Case(id=LOST, fields={"says": ["Hello"]}),
]
ANSWERS = [
    talk(TALK, "I have refunded 9 euros.", ended="user"),
    Answer(
        case_id=SEARCH,
        output="Rita paints fences [d2].",
        data={"ids": ["d1", "d2", "d9"], "texts": ["Bo sings.", "Rita paints fences.", "Late."]},
        trace=Trace(
            steps=(
                TraceStep(name="agent", duration_ms=100),
                TraceStep(name="chat", depth=1, start_ms=10, duration_ms=50, error="overloaded",
                          attributes={"gen_ai.request.model": "small-2"}),
            ),
            left_out=3,
        ),
    ),
    Answer(case_id=RECORD, output='{"total": "12,50"}'),
    Answer(case_id=LINK, output="x", trace=Trace(url="https://traces.example/t/1"), tool_calls=(FIND,)),
    Answer(
        case_id=LOST,
        turns=(AnswerTurn(user="Hello", error=ErrorInfo("provider", "status 500")),),
        error=ErrorInfo("provider", "turn 1: status 500"),
    ),
]  # fmt: skip
SCORES = [
    score(
        TALK,
        "tool_calls",
        False,
        "wrong argument of “refund”",
        details={
            "problems": ["wrong argument"],
            "calls": ["", "argument “amount” is 90, expected 9"],
            "missing": [{"name": "log", "arguments": {}}],
        },
    ),
    score(
        SEARCH,
        "retrieval",
        False,
        "recall too low",
        details={
            "retrieved": [
                {"id": "d1", "relevant": False, "counts": True},
                {"id": "d2", "relevant": True, "counts": True},
                {"id": "d9", "relevant": False, "counts": False},
            ],
            "missing": ["d7"],
        },
    ),
    score(SEARCH, "retrieval.recall", False, "0.5; expected at least 1"),
    score(
        SEARCH,
        "grounding",
        True,
        details={"claims": [{"claim": "Rita paints fences.", "passage": 2, "share": 1}]},
    ),
    score(
        RECORD,
        "json_fields",
        False,
        'prose; total: is "12,50", expected 12.5: a number as text',
    ),
    score(
        RECORD,
        "json_fields.total",
        False,
        'is "12,50", expected 12.5: a number as text',
        details={"want": 12.5, "got": "12,50"},
    ),
    score(RECORD, "json_fields.vendor", True, "as wanted", details={"want": "A", "got": "A"}),
    score(LINK, "facts", True),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from launched()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("application")
    changed = [talk(TALK, "I have refunded 9 dollars."), *ANSWERS[1:]]
    written = [
        samples.write_run(
            root / name,
            CASES,
            answers,
            SCORES,
            None,
            samples.manifest(run_id, len(CASES)),
        )
        for name, run_id, answers in (
            ("before", "20261101T000000Z-aaaaaa", changed),
            ("run", "20261102T000000Z-bbbbbb", ANSWERS),
        )
    ]
    before, run = map(RunDir, written)
    write_html(run, root / "report.html")
    write_html(run, root / "compared.html", baseline=before)
    return root / "report.html"


def opened(watched: Watched, case: str) -> Any:
    """The page with a case open."""
    page = watched.ready()
    page.wait_for_selector("#case-title")
    assert page.inner_text("#case-title") == case
    return page


def test_a_conversation_is_shown_turn_by_turn(browser: Any, report: Path) -> None:
    with Watched(browser, report, f"#case={TALK}") as watched:
        page = opened(watched, TALK)
        turns = page.locator(".turn")
        assert turns.count() == 2
        first = turns.nth(0).inner_text()
        assert "812 ms · 48 tokens" in first
        assert first.index("Refund order 17.") < first.index('find_order(order="17")')
        assert first.index('{"days":4}') < first.index("It cost 9 euros.")
        assert "argument “amount” is 90, expected 9" in turns.nth(1).inner_text()
        assert page.locator(".turn .call.wrong").count() == 1
        assert page.inner_text("[aria-label='Missing calls']").split() == ["log()", "missing"]
        assert page.locator(".turn .trace").count() == 1
        assert "The conversation ended: the simulated user ended it." in page.inner_text(".answers")
        # The messages are in the conversation, and not a second time under Input.
        assert "Yes." not in page.inner_text(".asked")
        assert 'find_order(order="17")' in page.inner_text(".asked")


def test_a_baseline_conversation_stands_next_to_the_new_one(browser: Any, report: Path) -> None:
    with Watched(browser, report.with_name("compared.html"), f"#case={TALK}") as watched:
        page = opened(watched, TALK)
        assert page.locator(".answer.was .turn").count() == 2
        assert page.locator(".answer.was del").all_inner_texts() == ["dollars"]
        assert page.locator(".answer.now ins").all_inner_texts() == ["euros"]


def test_relevant_passages_are_marked(browser: Any, report: Path) -> None:
    with Watched(browser, report, f"#case={SEARCH}") as watched:
        page = opened(watched, SEARCH)
        passages = page.locator(".passage").all_inner_texts()
        assert len(passages) == 3
        assert "not relevant" in passages[0]
        assert "cited" in passages[1]
        assert "Rita paints fences." in passages[1]
        assert "Supports: Rita paints fences." in passages[1]
        assert "beyond k: does not count" in passages[2]
        assert page.locator(".passage.relevant code").all_inner_texts() == ["d2"]
        assert "1 of 3 relevant" in page.inner_text(".retrieved h3")
        assert "d7" in page.inner_text(".missing-ids")


def test_the_steps_of_a_trace(browser: Any, report: Path) -> None:
    with Watched(browser, report, f"#case={SEARCH}") as watched:
        page = opened(watched, SEARCH)
        steps = page.locator(".step").all_inner_texts()
        assert [text.split("\n")[0] for text in steps] == ["agent", "chat"]
        assert "overloaded" in steps[1]
        assert "small-2" in steps[1]
        assert "3 more steps are not recorded" in page.inner_text(".trace")
        bar = page.locator(".step-bar").nth(1)
        assert bar.evaluate("node => node.style.marginLeft") == "10%"
        assert bar.evaluate("node => node.style.width") == "50%"


def test_a_trace_may_be_a_link(browser: Any, report: Path) -> None:
    with Watched(browser, report, f"#case={LINK}") as watched:
        page = opened(watched, LINK)
        link = page.locator(".trace a")
        assert link.get_attribute("href") == "https://traces.example/t/1"
        assert link.get_attribute("rel") == "noopener noreferrer"
        assert page.locator(".called .call").count() == 1


def test_fields_are_one_table_with_wanted_and_actual(browser: Any, report: Path) -> None:
    with Watched(browser, report, f"#case={RECORD}") as watched:
        page = opened(watched, RECORD)
        assert page.locator(".score").count() == 1
        rows = page.locator(".parts tbody tr")
        assert [text.split() for text in rows.all_inner_texts()] == [
            ["total", "12.5", '"12,50"', "fail", "a", "number", "as", "text"],
            ["vendor", "A", "A", "pass"],
        ]
        assert page.inner_text(".score .reason") == "prose"


def test_a_turn_without_a_reply_shows_its_error(browser: Any, report: Path) -> None:
    with Watched(browser, report, f"#case={LOST}") as watched:
        page = opened(watched, LOST)
        assert "provider error" in page.inner_text(".turn .trouble")
        assert "status 500" in page.inner_text(".turn .trouble")


@pytest.mark.skipif(AXE is None, reason="axe is not installed (pip install axe-playwright-python)")
@pytest.mark.parametrize("case", [TALK, SEARCH, RECORD])
@pytest.mark.parametrize("width", [390, 1440])
def test_axe_finds_nothing(browser: Any, report: Path, case: str, width: int) -> None:
    size = {"width": width, "height": 900}
    with Watched(browser, report, f"#case={case}", viewport=size) as watched:
        page = opened(watched, case)
        page.evaluate("document.querySelectorAll('details').forEach((node) => (node.open = true))")
        page.evaluate(AXE_SOURCE)
        results = page.evaluate(
            f"axe.run(document, {{runOnly: {RULES}, resultTypes: ['violations']}})"
        )
        nodes = [
            (each["id"], [node["html"][:160] for node in each["nodes"][:3]])
            for each in results["violations"]
        ]
        assert nodes == []
        watched.trouble.clear()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
