"""Past runs of the same suite, from the directories next to this one."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from llmeval.core.errors import StoreError
from llmeval.core.formatting import percent
from llmeval.core.manifest import Manifest
from llmeval.core.results import Summary
from llmeval.report.html import charts, words
from llmeval.report.safe_text import count
from llmeval.store.directory import RunDir, suite_folder

MOST = 20
REPORT = "report.html"
_LOOK_AT = 200
"""Directories looked at; more would slow the report down in a folder that holds everything."""


@dataclass(frozen=True)
class PastRun:
    """One run of the suite. `same_cases`: it asked what this run asks, to the letter."""

    run: RunDir
    run_id: str
    summary: Summary
    candidate: str = ""
    repeats: int = 1
    same_cases: bool = True

    @classmethod
    def of(
        cls, run: RunDir, manifest: Manifest, summary: Summary, cases_digest: str | None = None
    ) -> "PastRun":
        """From a run's own words. `cases_digest`: the digest of the cases to compare with."""
        candidate = manifest.candidate.name
        same = cases_digest is None or manifest.digests.cases == cases_digest
        return cls(run, summary.run_id, summary, candidate, manifest.repeats, same)


def earlier_runs(run: RunDir, manifest: Manifest) -> list[PastRun]:
    """Up to 19 complete runs of this suite that began before this one, the oldest first. Run ids
    sort by time.
    """
    cases, suite, run_id = manifest.digests.cases, manifest.suite, manifest.run_id
    runs: list[PastRun] = []
    folders = sorted((p for p in suite_folder(run.path).iterdir() if p.is_dir()), reverse=True)
    for folder in folders[:_LOOK_AT]:
        if len(runs) == MOST - 1:
            break
        other = RunDir(folder)
        if folder == run.path.resolve() or not (other.exists() and other.has_summary()):
            continue
        try:
            theirs, about = other.summary(), other.manifest()
        except StoreError:
            continue
        if about.is_part:
            continue
        if theirs.suite == suite and theirs.status == "complete" and theirs.run_id < run_id:
            runs.append(PastRun.of(other, about, theirs, cases))
    return sorted(runs, key=lambda past: past.run_id)


def trends(past: list[PastRun]) -> list[dict[str, Any]]:
    """A chart for each metric of the last run that earlier runs have too: first those that decided
    it, then the others that its gate names."""
    if len(past) < 2:
        return []
    now = past[-1].summary
    floors = {
        r.metric: r.threshold for r in now.gate.rules if r.rule == "floor" and r.slice is None
    }
    rows = []
    decided = {r.metric for r in now.gate.rules if r.decision is now.gate.decision}
    ruled = {r.metric for r in now.gate.rules}
    overall = (m for m in now.metrics if m.slice is None)
    for metric in sorted(overall, key=lambda m: (m.metric not in decided, m.metric not in ruled)):
        points = []
        for each in past:
            metrics = next(
                (m for m in each.summary.metrics if m.metric == metric.metric and m.slice is None),
                None,
            )
            if metrics is not None and metrics.pass_rate is not None:
                points.append((when(each.run_id), metrics.pass_rate, metrics.low, metrics.high))
        if len(points) > 1:
            text = (
                f"{percent(points[0][1])} → {percent(points[-1][1])} over"
                f" {count(len(points), 'run')}"
            )
            title, floor = f"{metric.metric}: {text}", floors.get(metric.metric)
            chart = charts.trend(title, points, floor)
            spark = charts.spark(title, [estimate for _, estimate, *_ in points], floor)
            rows.append({"metric": metric.metric, "chart": chart, "spark": spark, "text": text})
    return rows


def when(run_id: str) -> str:
    """2026-01-31 12:00 from 20260131T120000Z-3f9a1c; the id's beginning where it is not one of
    ours.
    """
    day, hour = run_id[:8], run_id[9:13]
    dated = (day + hour).isdigit() and run_id[8:9] == "T"
    return f"{day[:4]}-{day[4:6]}-{day[6:]} {hour[:2]}:{hour[2:]}" if dated else run_id[:16]


def listed(past: list[PastRun], page: Path, served: bool) -> list[dict[str, Any]]:
    """Runs as the page names them, in the order given; `href` leads to a run's report where there
    is one now. A page that is `served` has no way to other files.
    """
    rows = []
    for each in past:
        report = each.run.path / REPORT
        there = not served and report.exists()
        rows.append(
            {
                "run": each.run_id,
                "when": when(each.run_id),
                "candidate": each.candidate,
                "decision": each.summary.gate.decision.value if each.summary.gate.decision else "",
                "href": (
                    quote(os.path.relpath(report, page.parent).replace(os.sep, "/"))
                    if there
                    else ""
                ),
            }
        )
    return rows


def past_table(past: list[PastRun], named: list[dict[str, object]]) -> list[dict[str, object]]:
    """A row a run, the newest first, for the table next to the charts. `named`: the same runs
    by `listed`.
    """
    return [_outcome(each.summary) | about for each, about in zip(past, named, strict=True)][::-1]


def _outcome(summary: Summary) -> dict[str, object]:
    decision = summary.gate.decision
    return {
        "word": decision.value if decision else "no decision",
        "tone": words.TONES[decision] if decision else "plain",
        "passed": summary.counts.passed,
        "cases": summary.counts.cases,
    }
