"""The evidence for triggers, from the monitor, the runs of the suite, and the ages of its parts."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from llmeval.api.monitoring import monitor_folder
from llmeval.api.status import complete_runs_of, status_of
from llmeval.api.traffic_suite import monitor_of, stream_keys
from llmeval.core.errors import LlmevalError
from llmeval.core.manifest import Manifest
from llmeval.core.monitor_record import InvalidCause, MonitorRecord
from llmeval.core.results import Decision, Summary
from llmeval.monitor.evidence import DriftEvidence, Evidence
from llmeval.monitor.journal import Journal
from llmeval.monitor.outcome import alarm_changes
from llmeval.monitor.streams import Stream, Streams
from llmeval.suite.loader import Suite

_NEW_FROM, _NEW_BEFORE = 0.05, 0.01
"""A tag's value is new if at least the first share of the answers since the drop have it, and less
than the second share of those before."""


def collect_evidence(suite: Suite, reports: Path, now: datetime) -> Evidence:
    """Read everything that the table of triggers needs. Nothing is called.

    Raises:
        SuiteError: the suite has no monitor. StoreError: the files of the monitor were changed.
    """
    spec = monitor_of(suite)
    folder = monitor_folder(suite, reports)
    journal = Journal(folder)
    streams = Streams(stream_keys(spec), spec.tolerance)
    streams.replay(journal.records)
    drift = [_drift(each, journal.records) for each in streams.alarms]
    runs = [(manifest, summary) for _, manifest, summary in complete_runs_of(suite, reports)]
    newest = runs[0] if runs else None
    since = min((each.since for each in drift), default="")
    failed = newest is not None and newest[1].gate.decision is Decision.FAIL
    backlog = 0 if newest is None else _waiting(newest[1])
    return Evidence(
        drift=drift,
        new_slices=_new_slices(folder, journal.records, since) if drift else (),
        suite_score=_score(newest, since),
        suite_run="" if newest is None else newest[0].run_id,
        judge_void=_first_of(journal.records, "judge"),
        env_mismatch=_first_of(journal.records, "environment"),
        overdue={
            part.part: "unknown" if part.since is None else part.since.isoformat()
            for part in status_of(suite, reports)
            if part.state(now) == "overdue"
        },
        candidate_passes=_passing_candidate(suite, newest),
        gate_fail=newest[0].run_id if failed and newest is not None else "",
        label_backlog=backlog,
        backlog_run=newest[0].run_id if backlog and newest is not None else "",
    )


def _first_of(records: Sequence[MonitorRecord], cause: InvalidCause) -> str:
    """The first of the newest lines that are invalid for one cause; empty if the newest is not."""
    first = ""
    for record in reversed(records):
        if record.kind != "invalid" or record.cause != cause:
            break
        first = record.hash
    return first


def _drift(stream: Stream, records: tuple[MonitorRecord, ...]) -> DriftEvidence:
    alarm, window = stream.detector.open_alarm, stream.detector.window
    assert alarm is not None
    assert window is not None
    opened = [
        each.record.hash
        for each in alarm_changes(records)
        if each.opened and each.stream == stream.key.name
    ]
    newest = next(each for each in reversed(records) if each.kind == "look")
    answers = {(each.metric, each.slice): each.answers + each.missing for each in newest.counts}
    whole = max(1, answers.get((stream.key.metric, None), 1))
    return DriftEvidence(
        stream=stream.key.name,
        sliced=stream.key.slice is not None,
        share=min(1.0, answers.get((stream.key.metric, stream.key.slice), 0) / whole),
        since=str(alarm.since),
        reference=float(window.mean),
        now=alarm.rate,
        record=opened[-1] if opened else "",
    )


def _score(
    newest: tuple[Manifest, Summary] | None, since: str
) -> Literal["same", "down", "unknown"]:
    if newest is None or newest[0].started[:10] < since:
        return "unknown"
    decision = newest[1].gate.decision
    if decision is Decision.PASS:
        return "same"
    return "down" if decision is Decision.FAIL else "unknown"


def _waiting(summary: Summary) -> int:
    return sum(each.needs_review for each in summary.metrics if each.slice is None)


def _passing_candidate(suite: Suite, newest: tuple[Manifest, Summary] | None) -> str:
    """The newest run, if another model than the baseline's passed a regression rule in it."""
    from llmeval.gate.baseline import read_any

    regression = suite.spec.gate.regression
    if newest is None or regression is None or regression.baseline is None:
        return ""
    manifest, summary = newest
    compared = any(rule.rule == "regression" for rule in summary.gate.rules)
    try:
        lock = read_any(suite.base / regression.baseline)
    except LlmevalError:
        return ""
    other = lock.digests.candidate != manifest.digests.candidate
    passed = summary.gate.decision is Decision.PASS
    return manifest.run_id if compared and other and passed else ""


def _new_slices(folder: Path, records: Sequence[MonitorRecord], since: str) -> list[str]:
    """Values of tags that came with the drop: `topic=rental`."""
    before, after = Counter[str](), Counter[str]()
    cases_before = cases_after = 0
    for record in records:
        if record.kind != "look":
            continue
        values = Counter[str]()
        cases = _sampled_cases(folder, record)
        for case in cases:
            tags = case.get("tags")
            if isinstance(tags, dict):
                values.update(f"{tag}={value}" for tag, value in tags.items())
        if record.day >= since:
            after, cases_after = after + values, cases_after + len(cases)
        else:
            before, cases_before = before + values, cases_before + len(cases)
    return sorted(
        value
        for value, count in after.items()
        if count >= _NEW_FROM * cases_after and before[value] < _NEW_BEFORE * max(1, cases_before)
    )


def _sampled_cases(folder: Path, record: MonitorRecord) -> list[dict[str, object]]:
    """The stored cases of a day; none where they were removed."""
    name = Path(record.run).name.rpartition("-")[0]
    path = folder / "traffic" / name / "cases.jsonl"
    if not name or not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def propose_cases(folder: Path, evidence: Evidence, most: int = 50) -> Path | None:
    """Write sampled answers of the new slices to label, and give the file; None without any.

    Args:
        folder: of the monitor. evidence: with drift and new slices. most: how many cases.
    """
    from llmeval.core.files import write_atomically
    from llmeval.core.records import canonical_json

    since = min((each.since for each in evidence.drift), default="")
    slices = set(evidence.new_slices)
    chosen: list[dict[str, object]] = []
    for record in reversed(Journal(folder).records):
        if record.kind != "look" or record.day < since:
            continue
        for case in _sampled_cases(folder, record):
            tags = case.get("tags")
            values = {f"{k}={v}" for k, v in tags.items()} if isinstance(tags, dict) else set()
            if values & slices and len(chosen) < most:
                chosen.append(case)
    if not chosen:
        return None
    path = folder / "proposed_cases.jsonl"
    write_atomically(path, *(canonical_json(case) + b"\n" for case in chosen))
    return path
