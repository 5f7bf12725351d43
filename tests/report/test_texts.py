"""JUnit, Markdown and terminal output: readable, bounded, and inert whatever a model wrote."""

import io
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

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
from llmeval.report.console import ProgressDisplay, _line, print_summary
from llmeval.report.failing_cases import FailingCase
from llmeval.report.junit import write_junit
from llmeval.report.markdown import MAX_CHARS, markdown
from llmeval.report.safe_text import cell, fenced, one_line, visible
from llmeval.runner.progress import Progress
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


@pytest.mark.parametrize(
    ("decision", "code", "gate_tag", "case_tag"),
    [
        (Decision.FAIL, 1, "failure", "failure"),
        (Decision.PASS, 0, None, "skipped"),
        (Decision.INCONCLUSIVE, 4, "failure", "failure"),
        (Decision.INCONCLUSIVE, 0, "skipped", "skipped"),
        (Decision.INVALID, 3, "error", "failure"),
    ],
)
def test_junit_says_what_the_exit_code_says(
    tmp_path: Path, decision: Decision, code: int, gate_tag: str | None, case_tag: str
) -> None:
    path = tmp_path / "junit.xml"
    write_junit(
        path,
        summary(decision, code, rule(decision)),
        MANIFEST,
        [trouble(), trouble("c2", Outcome.ERROR)],
    )
    root = ET.parse(path).getroot()
    gate, facts = root.findall("testsuite")
    (gate_case,) = gate.findall("testcase")
    assert [child.tag for child in gate_case] == ([gate_tag] if gate_tag else [])
    first, second = facts.findall("testcase")
    assert (first.get("classname"), first.get("name"), first[0].tag) == (
        "llmeval.s.facts",
        "c1",
        case_tag,
    )
    assert second[0].tag == "error"
    assert int(root.get("tests", "")) == 3
    assert int(facts.get("errors", "")) == 1
    assert "the reason" in (gate_case[0].get("message", "") if gate_tag else "the reason")


@given(st.text(max_size=200))
def test_junit_is_always_xml(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "junit.xml"
        write_junit(
            path, summary(Decision.FAIL, 1), MANIFEST, [trouble(text or "id", Outcome.FAIL, text)]
        )
        ET.parse(path)


def test_markdown_is_bounded_and_fenced() -> None:
    troubles = [trouble(f"c{i}", text=HOSTILE + "x" * 5000) for i in range(100)]
    text = markdown(
        summary(Decision.FAIL, 1, rule(Decision.FAIL), rule(Decision.PASS)), MANIFEST, troubles
    )
    assert len(text) <= MAX_CHARS
    assert text.startswith("<!-- llmeval:s -->\n## ❌")
    assert "**UNTRUSTED**" not in text
    assert "> **The judge of " in text
    assert "is UNTRUSTED" in text
    outside = []
    fence = None
    for line in text.split("\n"):
        if fence is None and line.startswith("```"):
            fence = line.rstrip("tex")
        elif fence is not None and line == fence:
            fence = None
        elif fence is None:
            outside.append(line)
    rest = "\n".join(outside)
    assert "<script>" not in rest
    assert "@everyone" not in rest
    assert "](http" not in rest
    assert "\x1b" not in text
    assert not any(line.startswith("::") for line in outside)


@given(st.text())
def test_visible_text_cannot_act(text: str) -> None:
    shown = visible(text)
    assert not any((ord(c) < 32 and c not in "\n\t") or c in "\u202e\u200b\x7f\x9b" for c in shown)
    assert "\n" not in one_line(text, 50)
    assert len(one_line(text, 50)) <= 50
    assert all(c not in cell(text) for c in "<>|`*[]\n")
    shown.encode()


@given(st.text(alphabet="`~ax\n", max_size=80))
def test_a_fence_is_longer_than_any_in_it(text: str) -> None:
    block = fenced(text).split("\n")
    assert block[-1] == block[0].removesuffix("text")
    assert not any(line.strip().startswith(block[-1]) for line in block[1:-1])


def printed(said: Summary, troubles: list[FailingCase], width: int = 80) -> str:
    out = io.StringIO()
    print_summary(Console(file=out, width=width), said, troubles, MANIFEST, None)
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
    assert "(no answer)" in both and "facts: does not state Rome" in both and "Paris" in both


def test_an_untrusted_judge_is_said_once() -> None:
    says = RuleDecision(
        rule="floor",
        decision=Decision.INCONCLUSIVE,
        reason="The judge is UNTRUSTED: no labels. So ...",
    )
    said = summary(Decision.INCONCLUSIVE, 4, says, rule(Decision.PASS))
    for text in (printed(said, []), markdown(said, MANIFEST, [])):
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
    print_summary(
        console,
        summary(Decision.FAIL, 1, rule(Decision.FAIL)),
        [trouble()],
        MANIFEST,
        Path("r/report.html"),
    )
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
    display = ProgressDisplay(out)
    display._console = Console(file=out, width=80, force_terminal=True, color_system=None)
    display.planned(RunStart(MANIFEST, progress))
    display.ended()
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
