"""`summary.md` and comments mention nobody, link nowhere and run nothing, whoever wrote the text in
them; and people can read them as plain text.
"""

import random
from dataclasses import replace

import pytest
from msgspec import structs

from llmeval.core.results import (
    Decision,
    GateChange,
    Metric,
    MetricDrop,
    NumberMetric,
    NumberStatistic,
    Quarantined,
    Retired,
    RuleDecision,
)
from llmeval.report.inert_markdown import code, fenced, html_code, prose
from llmeval.report.markdown import MAX_CHARS, markdown
from tests.report.test_texts import HOSTILE, MANIFEST, summary, trouble, view
from tests.support.github_page import acts, rendered

PIECES = [
    "@octocat", "@acme/reviewers", "cc @a", "#12", "GH-34", "acme/tool#5", "acme/tool@1a2b3c4d5e6f", "!7", "~bug", "%3", "$8",
    "&9", "https://x.example/a", "http:", "//", "www.x.example", "mail@x.example", "mailto:a@b.cd", "ftp://x.y", "[a](b)",
    "![i](http://x)", "[r]: http://x", "[^1]", "[^1]: note", "- [ ] task", "* item", "1. one", "1) one", "# head", "===", "---",
    "> quote", ">>>", "|", "\\|", "\\", "`", "``", "```", "~~~~", "```mermaid", "$$", "$`x`$", "$x$", ":smile:", ":+1:", "<b>",
    "</details>", "<!--", "-->", "<script>alert(1)</script>", "&lt;", "&#64;octocat", "\n", "\r", "\t", " ", "  ", "\u202e", "\u200b",
    "\x1b[31m", "\x9b", "\u2028", "1234567", "deadbeef", "ABC-12", "CVE-2026-1", "/close", "\n/merge", "::error::", "plain", "words.",
    "(so)", "70.0%", "*", "_", "__init__", "**", "~", "~~", "+", "-", "=", "'", '"', "é", "語", "\U000e0041", "&", "<", ">", ":", "//x",
]  # fmt: skip


def hostile(rng: random.Random) -> str:
    """A text of pieces that act somewhere, joined as an attacker would try."""
    glue = rng.choice(["", "", " ", "\n"])
    return glue.join(rng.choice(PIECES) for _ in range(rng.randint(1, 9)))


def page_of(*texts: str) -> str:
    """A summary with these texts in every place that a model, a judge, a suite or a person fills."""
    a, b, c, d = texts
    rule = RuleDecision(
        rule=a, metric=b, slice=f"{c}={d}", decision=Decision.FAIL, reason=d, fell=(a, c), estimate=-0.1, low=-0.2, high=0.0,
        threshold=0.05,
    )  # fmt: skip
    numbers = (
        NumberMetric(name=c, n=3, statistics=(NumberStatistic(statistic="mean", value=1.0),)),
    )
    aside = (Quarantined(case_id=a, reason=b, owner=c, expires=d),)
    metric = Metric(metric=b, n=10, passed=7, pass_rate=0.7, mean=0.7, low=0.4, high=0.9)
    said = structs.replace(
        summary(Decision.FAIL, 1, rule, structs.replace(rule, slice=None, rule="regression")),
        suite=a, run_id=d, metrics=(metric,), numbers=numbers, quarantine=aside, quarantine_ended=aside,
        drops=(MetricDrop(metric=a, slice=b, before=0.9, now=0.8, n=7),),
        retired=(Retired(case_id=b, reason=c, owner=d),),
        gate_changes=(GateChange(what=a, direction="looser", text=b),),
    )  # fmt: skip
    said = structs.replace(said, gate=structs.replace(said.gate, reason=a))
    about = structs.replace(
        MANIFEST, candidate=structs.replace(MANIFEST.candidate, name=b), warnings=(c,),
        judges={d: structs.replace(MANIFEST.judges["correctness"], trust_reason=a)},
    )  # fmt: skip
    case = replace(trouble(a, text=b), reason=c, question=d, output=a, expected=b, before=c)
    shown = replace(view(said, [case] * 3, cause=f"3 x {d}", before={b: 0.9}), manifest=about)
    return markdown(replace(shown, warnings=[a]))


def test_nothing_acts_in_a_summary() -> None:
    rng = random.Random(20261130)
    plain = rendered(page_of("a", "b", "c", "d")).tags
    for _ in range(60):
        texts = [hostile(rng) for _ in range(4)]
        text = page_of(*texts)
        assert acts(text) == [], texts
        tags = rendered(text).tags
        assert {tag: tags.get(tag, 0) for tag in ("h2", "table", "tr", "td", "details")} == {
            tag: plain[tag] for tag in ("h2", "table", "tr", "td", "details")
        }, texts


def test_nothing_acts_in_any_form() -> None:
    rng = random.Random(7)
    for _ in range(1200):
        text = hostile(rng)
        page = (
            f"{prose(text)}\n\n- {prose(text)}\n\n> {prose(text)}\n\n| a | b |\n|---|---|\n| {code(text)} | {prose(text)} |\n\n"
            f"**{prose(text) or 0}**\n\n## {code(text)}\n\n{fenced(text)}\n\n<details><summary>{html_code(text)}</summary>\n\n</details>\n"
        )
        assert acts(page) == [], repr(text)
        tags = rendered(page).tags
        assert (tags["td"], tags["table"], tags["pre"], tags["li"], tags["h2"]) == (
            2,
            1,
            1,
            1,
            1,
        ), repr(text)


@pytest.mark.parametrize("piece", PIECES)
def test_the_page_of_the_test_knows_what_acts(piece: str) -> None:
    """Of the pieces that act alone, the filters of the test find each one."""
    harmless = {"//", "http:", "|", "\\|", "\\", "`", "``", "-->", "~~~~", "**", "~", "~~", "'", '"', ">", "<", "&", ":", "*", "_",
                "__init__", "&lt;", "plain", "words.", "(so)", "70.0%", "+", "-", "=", "é", "語", "\n", "\r", "\t", " ", "  ", "//x",
                "===", "::error::", "[^1]", "[^1]: note", "[r]: http://x", "```", ">>>", "> quote", "* item", "\u2028", "cc @a",
                "```mermaid", "# head"}  # fmt: skip
    if piece not in harmless:
        assert acts(f"see {piece}\n\n{piece}\n"), piece


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("contains fell by 40.0 points (97.5% bounds -53.5 to -28.6).", None),
        ("15 x HTTP 400: Invalid model name", None),
        ("1. first", "`1`. first"),
        ("ask @octocat, please", "ask `@octocat`, please"),
        ("call `/v1/models` now", "call `/v1/models` now"),
        ("see #12 or GH-7.", "see `#12` or `GH-7`."),
        ("max_words: 60", None),
        ("a | b", "a `│` b"),
        ("", ""),
    ],
)
def test_sentences_stay_readable_as_plain_text(text: str, shown: str | None) -> None:
    assert prose(text) == (text if shown is None else shown)


def test_a_summary_is_bounded_and_its_first_line_marks_it() -> None:
    cases = [trouble(f"c{i}", text=HOSTILE + "x" * 5000) for i in range(100)]
    text = markdown(view(summary(Decision.FAIL, 1), cases))
    assert len(text) <= MAX_CHARS
    assert text.startswith("<!-- llmeval:s -->\n## ❌ llmeval `s`: FAIL\n")
    assert acts(text) == []


def test_the_decision_comes_first_then_the_error_in_full_and_the_reason() -> None:
    message = "HTTP 400: Invalid model name passed in model=nosuch. " + "word " * 150 + "end"
    said = summary(Decision.INVALID, 3)
    cut = f"All cases are missing. 15 x {message[:200]}…"
    said = structs.replace(said, gate=structs.replace(said.gate, reason=cut))
    lines = markdown(view(said, cause=f"15 x {message}")).split("\n")
    assert lines[1].endswith("INVALID")
    assert lines[3].startswith("**15 x HTTP 400: Invalid model name")
    assert lines[3].endswith("end**")
    assert lines[5] == "All cases are missing."


def test_metrics_with_arrows_and_both_answers() -> None:
    rule = RuleDecision(
        rule="regression", metric="facts", decision=Decision.FAIL, estimate=-0.2, low=-0.3, high=-0.1, threshold=0.05, reason="fell",
        fell=("c2",),
    )  # fmt: skip
    cases = [
        replace(trouble("c1"), expected="Rome", output="Paris", question="Capital?"),
        replace(trouble("c2"), expected="4", output="5", before="4", question="2 + 2?"),
    ]
    text = markdown(view(summary(Decision.FAIL, 1, rule), cases, before={"facts": 0.9}))
    assert (
        "| ❌ FAIL | regression | `facts` | 90.0% → 70.0% ▼ | −20.0 points (−30.0 to −10.0) | 5 points |"
        in text
    )
    first, second = text.split("| case |")[1].split("\n")[2:4]
    assert first == "| `c2` | `2 + 2?` | `4` | `4` | `5` |", "the case that fell comes first"
    assert second == "| `c1` | `Capital?` | `Rome` | – | `Paris` |"


def test_cases_of_the_table_link_to_the_report() -> None:
    cases = [trouble("a/b) [x](https://evil) #1&repeat=2")]
    text = markdown(view(summary(Decision.FAIL, 1), cases), report="https://p.example/report.html")
    (row,) = [line for line in text.splitlines() if "#case-" in line]
    assert "](https://p.example/report.html#case-a%2Fb%29%20%5Bx%5D%28https%3A%2F%2Fevil%29" in row
    assert "#case-" not in markdown(view(summary(Decision.FAIL, 1), cases))
