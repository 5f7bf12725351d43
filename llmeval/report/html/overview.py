"""All suites of a reports directory on one offline page without any script: latest decisions,
trends, runs.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from llmeval.core.files import write_atomically
from llmeval.core.manifest import Manifest
from llmeval.core.results import Decision, Summary
from llmeval.report.html import assets, charts, words
from llmeval.report.html.page import environment
from llmeval.report.html.trend import MOST, PastRun, listed, past_table, trends, when
from llmeval.store.directory import RunDir

CHARTS = 3
"""Trends shown for a suite at once; the metrics that the gate decides on come first."""
_ORDER = ("FAIL", "INVALID", "not finished", "INCONCLUSIVE", "no decision", "PASS")
"""Suites that need a look first."""
_SAID = {
    "FAIL": ("fails", "fail"),
    "INVALID": ("is invalid", "are invalid"),
    "not finished": ("has a run that is not finished", "have a run that is not finished"),
    "INCONCLUSIVE": ("is inconclusive", "are inconclusive"),
    "no decision": ("decides nothing", "decide nothing"),
    "PASS": ("passes", "pass"),
}

Recorded = tuple[Path, Manifest, Summary | None]
"""A run's directory, its manifest, and its summary when it came to an end."""


@dataclass
class SuiteOverview:
    """One suite's runs. `shown`: the newest 20 that are complete, newest first; `latest`: the
    newest of all.
    """

    name: str
    latest: Recorded
    runs: int = 0
    shown: list[PastRun] = field(default_factory=list)

    @property
    def state(self) -> str:
        """The latest run's decision, or that there is none."""
        _, _, summary = self.latest
        if summary is None or summary.status != "complete":
            return "not finished"
        return summary.gate.decision.value if summary.gate.decision else "no decision"


def write_overview(runs: Iterable[Recorded], path: Path) -> list[dict[str, object]]:
    """Write the page of all suites among `runs` (the newest first); gives what it says of each
    suite, plainly.
    """
    suites = sorted(
        _by_suite(runs).values(), key=lambda suite: (_ORDER.index(suite.state), suite.name)
    )
    page = (
        environment()
        .get_template("overview.html.j2")
        .render(
            policy=assets.policy(scripted=False),
            style=assets.style(),
            title=_title(suites),
            tone=_tone(suites),
            suites=[_section(suite, path) for suite in suites],
            runs=sum(suite.runs for suite in suites),
            counts=[(state, tone_of(state), n) for state, n in _counted(suites)],
        )
    )
    write_atomically(path, page.encode())
    return [_plain(suite) for suite in suites]


def tone_of(state: str) -> str:
    """The colour family of a suite's state."""
    if state == "not finished":
        return "invalid"
    return words.TONES[Decision(state)] if state in Decision.__members__ else "plain"


def _by_suite(runs: Iterable[Recorded]) -> dict[str, SuiteOverview]:
    suites: dict[str, SuiteOverview] = {}
    for recorded in runs:
        path, manifest, summary = recorded
        suite = suites.setdefault(str(manifest.suite), SuiteOverview(str(manifest.suite), recorded))
        suite.runs += 1
        if summary is not None and summary.status == "complete" and len(suite.shown) < MOST:
            suite.shown.append(PastRun.of(RunDir(path), manifest, summary))
    return suites


def _counted(suites: list[SuiteOverview]) -> list[tuple[str, int]]:
    counts = Counter(suite.state for suite in suites)
    return [(state, counts[state]) for state in _ORDER if counts[state]]


def _title(suites: list[SuiteOverview]) -> str:
    """2 of 5 suites fail; All 5 suites pass."""
    counted = _counted(suites)
    if not counted:
        return "No runs yet"
    state, n = counted[0]
    one, many = _SAID[state]
    if n == len(suites):
        return f"All {n} suites {many}" if n > 1 else f"{suites[0].name} {one}"
    return f"{n} of {len(suites)} suites {one if n == 1 else many}"


def _tone(suites: list[SuiteOverview]) -> str:
    return tone_of(suites[0].state) if suites else "plain"


def _section(suite: SuiteOverview, page: Path) -> dict[str, object]:
    path, manifest, summary = suite.latest
    past = suite.shown[::-1]
    rows = past_table(past, listed(past, page, served=False)) if past else []
    lines = trends(past)
    gate = summary.gate if summary else None
    alpha = manifest.gate.alpha
    return {
        "name": suite.name,
        "description": manifest.description,
        "state": suite.state,
        "tone": tone_of(suite.state),
        "headline": words.headline(gate, summary.metrics, alpha)
        if gate and summary
        else "Its latest run did not end.",
        "when": when(str(manifest.run_id)),
        "candidate": str(manifest.candidate.name),
        "href": listed([PastRun.of(RunDir(path), manifest, summary)], page, served=False)[0]["href"]
        if summary
        else "",
        "counts": summary.counts if summary else None,
        "bar": charts.outcome_bar(words.outcomes(summary.counts)) if summary else "",
        "spark": lines[0]["spark"] if lines else "",
        "trends": lines[:CHARTS],
        "more": len(lines) - CHARTS,
        "rows": rows,
        "runs": suite.runs,
    }


def _plain(suite: SuiteOverview) -> dict[str, object]:
    path, manifest, summary = suite.latest
    return {
        "suite": suite.name,
        "state": suite.state,
        "runs": suite.runs,
        "latest": str(manifest.run_id),
        "path": str(path),
        "cases": summary.counts.cases if summary else None,
        "passed": summary.counts.passed if summary else None,
    }
