"""JUnit, Markdown and terminal output: readable, bounded, and inert whatever a model wrote."""

import io
import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from rich.console import Console

from llmeval.core.outcome import Outcome
from llmeval.core.records import Answer, Case, Status
from llmeval.core.results import (
    CaseCounts,
    Decision,
    GateResult,
    Metric,
    NumberMetric,
    NumberStatistic,
    RuleDecision,
    Summary,
)
from llmeval.report.console import print_summary
from llmeval.report.failing_cases import FailingCase
from llmeval.report.markdown import markdown
from llmeval.report.progress_bar import _line, show_progress
from llmeval.report.progress_display import ProgressDisplay
from llmeval.report.run_view import RunView
from llmeval.report.safe_text import one_line, visible
from llmeval.runner.progress import Progress
from llmeval.store.directory import RunDir
from llmeval.store.run_observer import RunStart
from llmeval.store.units import Unit
from tests.support.manifests import GATE, manifest_record

HOSTILE = "\x1b[31m::error::x\n::add-mask::y\r\n```\n~~~~\n</details><script>alert(1)</script> @everyone \u202e ![x](http://x) \ud800 \x00"
MANIFEST = manifest_record(
    run_id="r1",
    suite_file="suites/s.yaml",
    candidate={"name": "cand"},
    judges={"correctness": {"trust": "UNTRUSTED", "trust_reason": "no labels"}},
    gate={**GATE, "floors": {"facts": 0.8}},
)


def trouble(case: str = "c1", outcome: Outcome = Outcome.FAIL, text: str = HOSTILE) -> FailingCase:
    return FailingCase(
        (2, 0.0, case, 0), case, 0, ("facts",), f"facts: {text}", text, text, outcome
    )


def summary(decision: Decision | None, code: int, *rules: RuleDecision) -> Summary:
    metric = Metric(metric="facts", n=10, passed=7, pass_rate=0.7, mean=0.7, low=0.4, high=0.9)
    return Summary(
        suite="s", run_id="r1", status="complete", counts=CaseCounts(cases=10, passed=7, failed=3), metrics=(metric,),
        gate=GateResult(decision=decision, exit_code=code, rules=rules, reason="because"),
    )  # fmt: skip


def rule(decision: Decision) -> RuleDecision:
    return RuleDecision(rule="floor", metric="facts", decision=decision, reason="the reason")


def view(said: Summary, cases: Sequence[FailingCase] = (), **more: Any) -> RunView:
    return RunView(RunDir("nowhere"), MANIFEST, said, list(cases), [], **more)


@given(st.text())
def test_visible_text_cannot_act(text: str) -> None:
    shown = visible(text)
    assert not any((ord(c) < 32 and c not in "\n\t") or c in "\u202e\u200b\x7f\x9b" for c in shown)
    assert "\n" not in one_line(text, 50)
    assert len(one_line(text, 50)) <= 50
    shown.encode()


def printed(said: Summary, troubles: list[FailingCase], width: int = 80) -> str:
    out = io.StringIO()
    print_summary(Console(file=out, width=width), view(said, troubles))
    return out.getvalue()


def test_why_there_is_no_answer_has_the_whole_row() -> None:
    lost = replace(
        trouble("case-1", Outcome.ERROR),
        reason="provider: 127.0.0.1:8000: HTTP 500: out of memory",
        output="",
    )
    assert "out of memory" in printed(summary(Decision.FAIL, 1), [lost])
    wrong = replace(trouble("case-2"), reason="facts: does not state Rome", output="Paris")
    both = printed(summary(Decision.FAIL, 1), [lost, wrong])
    assert "facts: does not state Rome" in both and "answered Paris" in both


def test_an_untrusted_judge_is_said_once() -> None:
    says = RuleDecision(
        rule="floor",
        decision=Decision.INCONCLUSIVE,
        reason="The judge is UNTRUSTED: no labels. So ...",
    )
    said = summary(Decision.INCONCLUSIVE, 4, says, rule(Decision.PASS))
    for text in (printed(said, []), markdown(view(said))):
        assert text.count("no labels") == 1
    assert "The judge of correctness is UNTRUSTED: no labels." in printed(summary(None, 0), [])


def test_the_name_of_a_number_is_never_cut() -> None:
    statistics = tuple(
        NumberStatistic(statistic=name, value=0.0123456, low=0.0112345, high=0.0134567)
        for name in ("mean", "p50", "p95")
    )
    numbers = (NumberMetric(name="latency", unit="s", n=80, statistics=statistics),)
    text = printed(structs.replace(summary(Decision.PASS, 0), numbers=numbers), [])
    assert "latency" in text
    assert "0.0135" in text
    assert all(len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize("width", [60, 80, 130, 200])
def test_the_terminal_summary_fits_and_is_inert(width: int) -> None:
    out = io.StringIO()
    console = Console(file=out, width=width)
    said = summary(Decision.FAIL, 1, rule(Decision.FAIL))
    print_summary(console, view(said, [trouble()], report=Path("r/report.html")))
    text = out.getvalue()
    assert all(len(line) <= width for line in text.splitlines())
    for told in ("FAIL", "UNTRUSTED", "70.0%", "report.html", "c1"):
        assert told in text
    assert "\x1b[31m::error" not in text
    assert not any(line.startswith("::") for line in text.splitlines())


def test_progress_is_a_line_where_there_is_no_terminal() -> None:
    progress = Progress(total=10)
    out = io.StringIO()
    display = ProgressDisplay(out)
    display.planned(RunStart(MANIFEST, progress))
    progress.count(Unit(Case("c", {}), Answer(case_id="c"), ()))
    display.ended()
    assert progress.troubled == 1
    assert Status.PASS == "pass"
    assert json.dumps(out.getvalue()) == '""'  # over before the first line was due


def _shown_on_a_terminal(progress: Progress) -> str:
    out = io.StringIO()
    console = Console(file=out, width=80, force_terminal=True, color_system=None)
    ended = threading.Event()
    ended.set()
    show_progress(console, "", progress, ended)
    return out.getvalue()


def test_progress_says_what_holds_it_up_in_the_endpoints_own_words() -> None:
    progress = Progress(
        total=10, counted=lambda: 7, traffic=lambda: "waiting: HTTP 429: [bold] slow, next in 30 s"
    )
    assert "\nwaiting: HTTP 429: [bold] slow, next in 30 s" in _shown_on_a_terminal(progress)
    assert _line(progress).endswith("7 calls - waiting: HTTP 429: [bold] slow, next in 30 s")
    progress.traffic = lambda: "waiting: \x1b[2J\u202e"
    assert "\x1b" not in _line(progress)
    assert "\nwaiting: \\u001b[2J\\u202e" in _shown_on_a_terminal(progress)
    progress.stated = "stopping"
    assert progress.note == "stopping"
