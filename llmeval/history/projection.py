"""A run directory as rows of the history.

Scores are read by a record of five fields, which is four times faster than reading whole scores.
Every file is still compared with the digest that the manifest states: a changed run is refused.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from llmeval.core.errors import StoreError
from llmeval.core.manifest import Manifest
from llmeval.core.records import Status
from llmeval.core.results import Summary
from llmeval.gate.baseline import scorer_digest
from llmeval.gate.human_labels import people_of
from llmeval.history.rows import (
    DecisionRow,
    JudgeRow,
    MetricRow,
    RunProjection,
    RunRow,
    TagRow,
)
from llmeval.history.run_verdicts import RunVerdicts
from llmeval.history.verdicts import short_digest
from llmeval.store.directory import LABELS, MANIFEST, SUMMARY, RunDir
from llmeval.store.people_files import every_line, stamp_of_files
from llmeval.store.record_lines import SCORES
from llmeval.store.run_tags import TAGS, read_tags

STAMPED = (MANIFEST, SUMMARY, TAGS)
"""The files whose change changes a row, next to those of the labels. Records of a run that ended do
not change; their digests are in the manifest.
"""
PART = "partial"
"""The status of a run that has only a part of its suite on purpose."""


class _SlimScore(msgspec.Struct, frozen=True):
    case_id: str
    metric: str
    status: Status
    repeat: int = 0
    value: float | None = None


_SLIM_SCORE = msgspec.json.Decoder(_SlimScore)


def stamp_of(run: str) -> str:
    """The stamp of a run's directory; empty where it has no manifest."""
    parts = []
    for name in STAMPED:
        try:
            state = os.stat(f"{run}/{name}")
        except OSError:
            if name == MANIFEST:
                return ""
            parts.append("-")
        else:
            parts.append(f"{state.st_mtime_ns:x}.{state.st_size:x}")
    return " ".join([*parts, stamp_of_files(f"{run}/{LABELS}")])


def project(path: Path, root: Path, verdicts: RunVerdicts | None = None) -> RunProjection:
    """The rows of a run. One that continues has a row without metrics and verdicts.

    Args:
        path: its directory, absolute.
        root: the folder of the runs.
        verdicts: of a run whose records this process has just read; None: they are read here.

    Raises:
        StoreError: not a run directory, a newer one, a shard of a run, or a file was changed.
    """
    stamp = stamp_of(str(path))
    run = RunDir(path)
    manifest = run.manifest()
    if manifest.shard is not None:
        raise StoreError(f"{path} is a shard: `llmeval merge` makes a run of its shards")
    ended = manifest.status != "running" and run.has_summary()
    summary = run.summary() if ended else None
    if summary is not None and summary.run_id != manifest.run_id:
        raise StoreError(f"{path / SUMMARY} is of the run {summary.run_id}")
    row = _run_row(path, root, stamp, manifest, summary)
    tags = tuple(TagRow(row.run_id, name, text) for name, text in read_tags(path).items())
    judges = tuple(_judge_rows(manifest))
    if summary is None:
        return RunProjection(row, tags, judges=judges)
    if verdicts is None or not verdicts.are_current:
        verdicts = _read_verdicts(path, run, manifest)
    return RunProjection(
        row,
        tags,
        tuple(_metric_rows(manifest, summary)),
        tuple(_decision_rows(summary)),
        judges,
        tuple(verdicts.vectors()),
        verdicts.cases,
    )


def _read_verdicts(path: Path, run: RunDir, manifest: Manifest) -> RunVerdicts:
    """The verdicts of a run, from its records."""
    verdicts = RunVerdicts(path, manifest)
    for case in run.outlines():
        verdicts.add_case(case)
    people, _ = people_of(run.path)
    for block in _blocks(run):
        verdicts.put(block, people)
    return verdicts


def _blocks(run: RunDir) -> Iterator[list[_SlimScore]]:
    """Each block of `scores.jsonl`, in the order written: the scores of one answer."""
    block: list[_SlimScore] = []
    metrics: set[str] = set()
    for _, line in run.lines(SCORES):
        try:
            score = _SLIM_SCORE.decode(line)
        except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
            raise StoreError(f"{run.path / SCORES}: not a score of llmeval: {error}") from None
        if block and (
            score.case_id != block[0].case_id
            or score.repeat != block[0].repeat
            or score.metric in metrics
        ):
            yield block
            block = []
            metrics.clear()
        block.append(score)
        metrics.add(score.metric)
    if block:
        yield block


def status_of(manifest: Manifest, summary: Summary | None) -> str:
    """running, incomplete, complete, or partial for a run that has only a part of its suite on
    purpose. Questions are about complete runs, so they leave out all others.
    """
    if manifest.is_part:
        return PART
    return manifest.status if summary is None else summary.status


def _run_row(
    path: Path, root: Path, stamp: str, manifest: Manifest, summary: Summary | None
) -> RunRow:
    digests, git = manifest.digests, manifest.git
    counts = None if summary is None else summary.counts
    calls = () if summary is None else tuple(summary.calls.values())
    costs = [each.cost_usd for each in calls if each.cost_usd is not None]
    gate = None if summary is None else summary.gate
    status = status_of(manifest, summary)
    aside = sorted(manifest.quarantined)
    return RunRow(
        run_id=manifest.run_id,
        suite=manifest.suite,
        root=_text(str(root)),
        path=_text(str(path)),
        stamp=stamp,
        started=manifest.started,
        ended=manifest.ended,
        status=status,
        decision=None if gate is None or gate.decision is None else str(gate.decision),
        exit_code=None if gate is None else gate.exit_code,
        kind=_kind_of(manifest),
        parent=manifest.parent_run,
        branch=None if git is None else _optional(git.branch),
        commit_id=None if git is None else _optional(git.commit),
        dirty=git is not None and git.dirty,
        environment=_optional(manifest.environment),
        llmeval=_text(manifest.llmeval.version),
        candidate=_text(manifest.candidate.name),
        candidate_digest=digests.candidate,
        system_digest=short_digest([digests.candidate, digests.prompt, digests.conversation]),
        cases_digest=digests.cases,
        judges_digest=short_digest(digests.judges),
        checks_digest=digests.checks,
        params_digest=short_digest(manifest.candidate.params),
        quarantine_digest=short_digest(aside) if aside else "",
        repeats=manifest.repeats,
        n=manifest.cases.n if counts is None else counts.cases,
        passed=0 if counts is None else counts.passed,
        failed=0 if counts is None else counts.failed,
        errors=0 if counts is None else counts.errors,
        unscored=0 if counts is None else counts.unscored,
        needs_review=0 if counts is None else counts.needs_review,
        not_needed=0 if counts is None else counts.not_needed,
        calls=sum(each.made for each in calls),
        cached=sum(each.cached for each in calls),
        tokens_in=sum(each.input_tokens for each in calls),
        tokens_out=sum(each.output_tokens for each in calls),
        cost_usd=sum(costs) if costs else None,
        wall_s=manifest.wall_s,
        baseline=_optional(manifest.baseline),
        labels=sum(1 for _ in every_line(path / LABELS)),
        suite_file=_text(manifest.suite_file),
        manifest_digest=manifest.digest,
    )


def _kind_of(manifest: Manifest) -> str:
    """What kind of run it is. The answers of an imported one were recorded elsewhere: by another
    tool, or by an application.
    """
    if manifest.merged_from:
        return "merge"
    if manifest.parent_run:
        return "score"
    return "imported" if manifest.candidate.identity.get("provider") == "replay" else "run"


def _metric_rows(manifest: Manifest, summary: Summary) -> Iterator[MetricRow]:
    for each in summary.metrics:
        yield MetricRow(
            run_id=manifest.run_id,
            metric=_text(each.metric),
            slice=_text(each.slice or ""),
            n=each.n,
            mean=each.mean,
            pass_rate=each.pass_rate,
            low=each.low,
            high=each.high,
            method=each.method,
            stopped_early=summary.counts.not_needed > 0,
            scorer=short_digest(scorer_digest(manifest, each.metric)),
            trust=each.trust,
        )


def _decision_rows(summary: Summary) -> Iterator[DecisionRow]:
    for place, rule in enumerate(summary.gate.rules):
        yield DecisionRow(
            run_id=summary.run_id,
            place=place,
            rule=_text(rule.rule),
            metric=_text(rule.metric or ""),
            slice=_text(rule.slice or ""),
            decision=str(rule.decision),
            estimate=rule.estimate,
            low=rule.low,
            high=rule.high,
            threshold=rule.threshold,
            baseline_run=_optional(rule.baseline),
        )


def _judge_rows(manifest: Manifest) -> Iterator[JudgeRow]:
    for metric, judge in manifest.judges.items():
        yield JudgeRow(
            run_id=manifest.run_id,
            metric=_text(metric),
            model=_text(judge.model),
            digest=judge.digest,
            certificate_digest=judge.certificate_digest,
            trust=judge.trust,
        )


def _text(text: str) -> str:
    """PostgreSQL holds no NUL in a text, and no database a lone surrogate."""
    clean = text.replace("\0", "\ufffd")
    return clean if clean.isascii() else clean.encode(errors="replace").decode()


def _optional(text: str | None) -> str | None:
    return None if text is None else _text(text)
