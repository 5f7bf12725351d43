"""Run directories for tests of the report: written line by line, as a run writes them, with texts
of our own.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scipy.stats import beta

from llmeval.core.records import Answer, Case, ErrorInfo, Score, Span, Status, Usage
from llmeval.core.results import (
    Calls,
    CaseCounts,
    Decision,
    GateResult,
    Metric,
    RuleDecision,
    Summary,
)
from llmeval.store.directory import summary_bytes
from tests.support.rundirs import record_lines, seal

HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)> <svg/onload=alert(3)> javascript:alert(4) "
    "\u202egnp.exe\u202c \x1b[31mred\x1b[0m nul:\x00 bell:\x07 zero\u200bwidth tag:\U000e0041\U000e0042 "
    "::error::hacked {{ 7*7 }} {% raw %} <!-- --> ]]> &lt;b&gt; <a href=https://attacker.invalid/>x</a>"
)
_TOPICS = {
    "geography": [
        ("Which river runs through the old town of Lindenau?", "the Arve", "It is the Arve."),
        (
            "What is the highest peak of the Corran range?",
            "Mount Sella, 2,914 m",
            "Mount Sella rises to 2,914 m.",
        ),
    ],
    "history": [
        (
            "In which year did the Meridian treaty end the border dispute?",
            "1887",
            "The treaty was signed in 1887.",
        ),
        (
            "Who led the first crossing of the Halvard strait?",
            "Ines Calder",
            "Ines Calder led the first crossing.",
        ),
    ],
    "science": [
        (
            "At what temperature does the alloy Temrit melt?",
            "1,240 °C",
            "Temrit melts at 1,240 °C.",
        ),
        (
            "Which gas makes up most of the air?",
            "nitrogen",
            "Most of the air is nitrogen (about 78%).",
        ),
    ],
    "law": [
        (
            "How many days does a tenant have to object to a notice?",
            "30 days",
            "A tenant has 30 days to object.",
        ),
        (
            "Which court hears appeals in patent matters?",
            "the patent senate",
            "Appeals go to the patent senate.",
        ),
    ],
}
_WRONG = [
    "I am fairly sure it is something else : perhaps the Moldau , as most guides say .",
    "There is no reliable source for that. However, many believe that it was in 1878.",
    "As an AI model I can't say, but 45 days would be a reasonable guess.",
]


def interval(passed: int, n: int) -> tuple[float, float]:
    """Exact 95% interval (Clopper and Pearson 1934)."""
    low = 0.0 if passed == 0 else float(beta.ppf(0.025, passed, n - passed + 1))
    high = 1.0 if passed == n else float(beta.ppf(0.975, passed + 1, n - passed))
    return low, high


def metric(name: str, passed: int, n: int, **more: Any) -> Metric:
    """A metric with its interval."""
    low, high = interval(passed, n) if n else (None, None)
    rate = passed / n if n else None
    return Metric(
        metric=name,
        n=n,
        passed=passed,
        pass_rate=rate,
        mean=rate,
        low=low,
        high=high,
        method="clopper-pearson" if n else "",
        **more,
    )


def manifest(run_id: str, n: int, **changes: Any) -> dict[str, Any]:
    """A complete manifest."""
    found: dict[str, Any] = {
        "schema": 3,
        "run_id": run_id,
        "suite": "qa",
        "suite_file": "suites/qa.yaml",
        "description": "Short factual questions with reference answers.",
        "started": "2026-11-23T06:15:30Z",
        "ended": "2026-11-23T06:18:02Z",
        "status": "complete",
        "llmeval": {
            "version": "0.1.0",
            "python": "3.11.7",
            "platform": "Linux-6.1-x86_64",
            "packages": {"numpy": "2.1.0"},
        },
        "git": {
            "commit": "4f0c9d2a8b7e6f5d4c3b2a190817263544332211",
            "branch": "main",
            "dirty": False,
        },
        "environment": None,
        "environment_changes": [],
        "digests": {
            "suite": "sha256:" + "5a" * 32,
            "cases": "sha256:" + "c1" * 32,
            "prompt": "sha256:" + "9e" * 32,
            "checks": "sha256:" + "17" * 32,
            "candidate": f"sha256:{run_id[-6:] * 10}abcd",
            "judges": {"correctness": "sha256:" + "d4" * 32},
        },
        "cases": {
            "n": n,
            "source": "data/qa.jsonl",
            "sample": {"n": n, "seed": 7, "stratify": "topic"},
        },
        "candidate": {
            "name": "assistant",
            "identity": {"provider": "openai", "model": "assistant-2", "host": "models.example"},
            "params": {"temperature": 0, "max_tokens": 64},
            "returned_models": ["assistant-2-0611"],
            "fingerprints": ["fp_77a0"],
        },
        "judges": {
            "correctness": {
                "model": "judge",
                "identity": {"provider": "openai", "model": "judge-7b"},
                "params": {"temperature": 0},
                "prompt": "reference",
                "prompt_version": 1,
                "digest": "sha256:" + "d4" * 32,
                "certificate": "../certificates/correctness.json",
                "trust": "UNTRUSTED",
                "trust_reason": "its certificate is void: it was made for another model, prompt or parameters",
            }
        },
        "checks": [
            {"metric": "punctuation", "name": "punctuation", "version": 1},
            {"metric": "max_words", "name": "max_words", "version": 1},
        ],
        "repeats": 1,
        "concurrency": 32,
        "seed": 7,
        "parent_run": None,
        "command": ["llmeval", "run", "suites/qa.yaml"],
        "gate": {
            "floors": {"correctness": 0.8, "punctuation": 0.95},
            "regression": None,
            "alpha": 0.05,
            "beta": 0.05,
            "max_unscored": 0.02,
            "on_inconclusive": "fail",
        },
    }
    return {**found, **changes}


def write_run(
    path: Path,
    cases: list[Case],
    answers: list[Answer],
    scores: list[Score],
    summary: Summary | None,
    about: dict[str, Any],
) -> Path:
    """Write the files of a run."""
    path.mkdir(parents=True, exist_ok=True)
    (path / "manifest.json").write_text(json.dumps(about))
    for name, records in (
        ("cases.jsonl", cases),
        ("answers.jsonl", answers),
        ("scores.jsonl", scores),
    ):
        (path / name).write_bytes(record_lines(records))
    if summary is not None:
        (path / "summary.json").write_bytes(summary_bytes(summary))
    return seal(path)


def records(n: int, seed: int, quality: float) -> Iterator[tuple[Case, Answer, list[Score]]]:
    """Rows of a question-answering suite; the share `quality` is right. Cases do not depend on seed
    or quality.
    """
    rng = random.Random(seed)
    topics = list(_TOPICS)
    for i in range(n):
        topic = topics[i % 4]
        question, reference, right = _TOPICS[topic][i // 4 % 2]
        case = Case(
            id=f"{topic[:3]}-{i:05d}",
            fields={"question": f"{question} (variant {i})"},
            references=(reference,),
            context=f"Background {i}. " + right if i % 5 == 0 else None,
            tags={"topic": topic, "lang": "en", "length": ["short", "long"][i % 7 == 0]},
            digest=f"sha256:{i:064x}",
            source=f"data/qa.jsonl:{i + 1}",
        )
        easy = {"geography": 0.08, "history": -0.14, "science": 0.06, "law": 0.0}[topic]
        good = rng.random() < quality + easy
        text = right if good else rng.choice(_WRONG)
        if i % 3 == 0 and good:
            text += f" That is what the records of case {i} say, and nothing contradicts them."
        answer = Answer(
            case_id=case.id,
            request=f"sha256:{seed:032x}{i:032x}",
            output=text,
            finish_reason="stop",
            usage=Usage(64, 18 + i % 30),
            latency_ms=round(rng.lognormvariate(6.2, 0.45), 1),
            attempts=1,
            model="assistant-2-0611",
            cached=i % 11 == 0,
        )
        yield case, answer, list(_scores(case, answer, good, rng))


def _scores(case: Case, answer: Answer, good: bool, rng: random.Random) -> Iterator[Score]:
    text = answer.text
    at = [i for i, mark in enumerate(text) if text[i - 1 : i + 1] in (" :", " ,", " .")]
    spans = tuple(
        Span(i - 1, i + 1, "a space before a punctuation mark", "space-before") for i in at
    )
    common = {"case_id": case.id}
    yield Score(
        metric="punctuation",
        status=Status.FAIL if spans else Status.PASS,
        value=0.0 if spans else 1.0,
        passed=not spans,
        reason=f"{len(spans)} errors" if spans else "no finding",
        evidence=spans,
        **common,
    )
    words = len(text.split())
    yield Score(
        metric="max_words",
        status=Status.PASS,
        value=1.0,
        passed=True,
        reason=f"{words} words, at most 60",
        **common,
    )
    judged = {
        "metric": "correctness",
        "source": "judge",
        "judge": "sha256:" + "d4" * 32,
        "attempts": 1,
        "cached": answer.cached,
        **common,
    }
    if rng.random() < 0.01:
        yield Score(
            status=Status.UNSCORED,
            unscored="the judge gave no usable verdict in 2 calls: the reply is empty",
            details={"reply": ""},
            **judged,
        )
        return
    quote = " ".join(text.split()[:4])
    lies = rng.random() < 0.03
    found = text.find(quote)
    evidence = (
        () if lies else (Span(found, found + len(quote), "the judge's evidence", "judge", "info"),)
    )
    partly = not good and rng.random() < 0.3
    word = "correct" if good else "partially_correct" if partly else "incorrect"
    yield Score(
        status=Status.PASS if good else Status.FAIL,
        value=1.0 if good else 0.5 if partly else 0.0,
        passed=good,
        reason=f"{word.replace('_', ' ')}: “{quote}”",
        evidence=evidence,
        confidence=round(rng.uniform(0.6, 0.99), 2),
        details={
            "verdict": word,
            "evidence": "words nobody wrote" if lies else quote,
            "quote_found": not lies,
            "reply": json.dumps({"evidence": quote, "verdict": word}),
        },
        **judged,
    )


def summary_of(
    run_id: str, cases: list[Case], answers: list[Answer], scores: list[Score], **changes: Any
) -> Summary:
    """A summary counted here, not by llmeval: metrics, slices by topic, two floors."""
    by_case = {case.id: case for case in cases}
    outcomes: dict[str, dict[str, Score]] = {}
    for score in scores:
        outcomes.setdefault(score.case_id, {})[score.metric] = score
    metrics = []
    for name in ("correctness", "punctuation", "max_words"):
        mine = {c: s[name] for c, s in outcomes.items() if name in s}
        source = {"source": "judge", "trust": "UNTRUSTED"} if name == "correctness" else {}
        for topic in (None, *_TOPICS):
            chosen = [
                s for c, s in mine.items() if topic is None or by_case[c].tags.get("topic") == topic
            ]
            known = [s for s in chosen if s.passed is not None]
            if chosen:
                metrics.append(
                    metric(
                        name,
                        sum(bool(s.passed) for s in known),
                        len(known),
                        slice=topic and f"topic={topic}",
                        unscored=len(chosen) - len(known),
                        **source,
                    )
                )
    rules = tuple(
        _floor(next(m for m in metrics if m.metric == n and not m.slice), f)
        for n, f in (("correctness", 0.8), ("punctuation", 0.95))
        if metrics
    )
    worst = next(
        (
            d
            for d in (Decision.FAIL, Decision.INCONCLUSIVE, Decision.PASS)
            if any(r.decision is d for r in rules)
        ),
        None,
    )
    errors = sum(answer.error is not None for answer in answers)
    unscored = sum(
        any(s.status is Status.UNSCORED for s in each.values()) for each in outcomes.values()
    )
    failed = sum(
        any(s.status is Status.FAIL for s in e.values())
        and not any(s.status is Status.UNSCORED for s in e.values())
        for e in outcomes.values()
    )
    found: dict[str, Any] = {
        "suite": "qa",
        "run_id": run_id,
        "status": "complete",
        "counts": CaseCounts(
            cases=len(cases),
            passed=len(cases) - failed - unscored - errors,
            failed=failed,
            unscored=unscored,
            errors=errors,
        ),
        "calls": {
            "candidate": Calls(
                made=len(answers),
                cached=sum(a.cached for a in answers),
                retried=2,
                failed=errors,
                input_tokens=64 * len(answers),
                output_tokens=30 * len(answers),
            ),
            "judge:correctness": Calls(
                made=len(answers) + 4,
                cached=9,
                input_tokens=300 * len(answers),
                output_tokens=24 * len(answers),
                cost_usd=0.0214,
            ),
        },
        "wall_s": 152.4,
        "metrics": tuple(metrics),
        "gate": GateResult(
            decision=worst,
            exit_code={None: 0, Decision.PASS: 0, Decision.FAIL: 1}.get(worst, 4),
            rules=rules,
            reason=next((r.reason for r in rules if r.decision is worst), ""),
        ),
    }
    return Summary(**{**found, **changes})


def _floor(found: Metric, floor: float) -> RuleDecision:
    n, passed, rate = found.n, found.passed, found.pass_rate or 0.0
    low = 0.0 if passed == 0 else float(beta.ppf(0.05, passed, n - passed + 1))
    high = 1.0 if passed == n else float(beta.ppf(0.95, passed + 1, n - passed))
    decision = (
        Decision.PASS if low >= floor else Decision.FAIL if high < floor else Decision.INCONCLUSIVE
    )
    seen = f"{found.metric}: {rate:.1%} pass ({passed} of {n} cases)"
    ends = {
        Decision.PASS: f"at 95% confidence at least {low:.1%}, the floor is {floor:.1%}.",
        Decision.FAIL: f"at 95% confidence at most {high:.1%}, the floor is {floor:.1%}.",
        Decision.INCONCLUSIVE: f"the true rate may lie between {low:.1%} and {high:.1%}, around the floor.",
    }
    return RuleDecision(
        rule="floor",
        metric=found.metric,
        decision=decision,
        estimate=rate,
        low=low,
        high=high,
        threshold=floor,
        reason=f"{seen}; {ends[decision]}",
    )


def sample_run(
    path: Path,
    n: int = 200,
    *,
    seed: int = 1,
    quality: float = 0.72,
    hostile: bool = True,
    **about: Any,
) -> Path:
    """A run of `n` cases, with an error, a hostile answer and a huge one where there is room."""
    cases, answers, scores = [], [], []
    for i, (case, recorded, scored) in enumerate(records(n, seed, quality)):
        answer, found = recorded, scored
        if i == 6 and n > 20:
            error = ErrorInfo(
                "provider",
                "HTTP 503 from models.example after 4 attempts: overloaded <script>alert(5)</script>",
            )
            answer = Answer(case_id=case.id, attempts=4, error=error)
            found = []
        if i == 9 and hostile:
            answer = Answer(
                case_id=case.id,
                output=HOSTILE,
                finish_reason="length",
                attempts=1,
                latency_ms=812.0,
            )
            spans = (
                Span(0, 9, HOSTILE, "</style>"),
                Span(HOSTILE.index("tag:"), len(HOSTILE), "tail", "t", "advice"),
            )
            found = [
                Score(
                    case_id=case.id,
                    metric="punctuation",
                    status=Status.FAIL,
                    value=0.0,
                    passed=False,
                    reason=HOSTILE,
                    evidence=spans,
                ),
                *found[1:],
            ]
        if i == 12 and hostile:
            answer = Answer(
                case_id=case.id,
                output="x" * 1_000_000,
                finish_reason="length",
                attempts=1,
                latency_ms=2400.0,
            )
        cases.append(case)
        answers.append(answer)
        scores += found
    run_id = about.pop("run_id", "20261123T061530Z-3f9a1c")
    summary = summary_of(run_id, cases, answers, scores)
    return write_run(path, cases, answers, scores, summary, manifest(run_id, n, **about))
