"""Which attempt of one change a run is, from the reports folder and the CI's variables.

A run is a further attempt if the same files of the repository are tested with the same model and
cases, within a day's work. Such runs are not independent tests: the gate shares its error rates
among them. A scheduled run tests whether the model has changed since, so it is a first attempt.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from llmeval.core.attempt import AttemptRecord, EarlierAttempt
from llmeval.core.manifest import GitRecord, Manifest
from llmeval.core.results import Decision
from llmeval.store.directory import GRIDS, MANIFEST, RunDir, complete_runs

WITHIN = timedelta(hours=20)
"""Older runs do not count as attempts. It is less than a day, so that nightly runs do not count."""
_READ_AT_MOST = 200
_DECIDED = (Decision.PASS, Decision.FAIL, Decision.INCONCLUSIVE)
_NUMBERS = {"GITHUB_RUN_ATTEMPT": 0, "SYSTEM_JOBATTEMPT": 0, "BUILDKITE_RETRY_COUNT": 1}
"""Variables with the attempt's number, and the offset that makes the first one 1."""
_STARTED_BY = {
    "GITHUB_EVENT_NAME": "schedule",
    "CI_PIPELINE_SOURCE": "schedule",
    "BUILD_REASON": "schedule",
    "BUILDKITE_SOURCE": "schedule",
}


class SeenAttempts(NamedTuple):
    """Which attempt a run is, and the earlier ones that the reports folder holds."""

    record: AttemptRecord | None
    """None where the gate counts no attempts."""
    runs: tuple[RunDir, ...] = ()
    """The earlier attempts that can be read, the oldest first."""


def attempts_seen(
    manifest: Manifest,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    parent: Manifest | None = None,
) -> SeenAttempts:
    """Which attempt a run is that begins now.

    Args:
        manifest: the manifest of the run.
        folder: the folder of the runs of its suite, such as reports/<suite>.
        environment: the CI server's variables; by default those of this process.
        parent: for a run that scores stored answers, the manifest of their run. The same answers
            with the same checks and judges are the same attempt.
    """
    if manifest.gate.attempts == 1:
        return SeenAttempts(None)
    variables = os.environ if environment is None else environment
    if parent is not None and _same_conditions(parent, manifest):
        record = parent.attempt or AttemptRecord()
        return SeenAttempts(record, tuple(_runs_of(record, folder)))
    if manifest.parent_run is not None or _by_clock(variables):
        return SeenAttempts(AttemptRecord())
    number = _number(variables)
    if manifest.shard is not None or manifest.selection is not None:
        # a part of the suite does not decide: only a whole run counts as an attempt
        return SeenAttempts(AttemptRecord(ci=number))
    attempts = _earlier(manifest, folder)
    return SeenAttempts(
        AttemptRecord(earlier=tuple(attempt for attempt, _ in attempts), ci=number),
        tuple(run for _, run in attempts if run is not None),
    )


def _earlier(manifest: Manifest, folder: Path) -> list[tuple[EarlierAttempt, RunDir | None]]:
    """The attempts in the folder, the oldest first, with their runs.

    A run that can't be read may have been an attempt, so it counts as one whose result is unknown:
    damage to a record must not make the error rates larger.
    """
    now = datetime.fromisoformat(manifest.started)
    attempts: list[tuple[datetime, EarlierAttempt, RunDir | None]] = []

    def unreadable(path: Path) -> None:
        written = datetime.fromtimestamp((path / MANIFEST).stat().st_mtime, UTC)
        if now - written <= WITHIN and path.name != manifest.run_id:
            attempts.append((written, EarlierAttempt(path.name, None), None))

    for place in _folders(folder):
        for run, summary in islice(complete_runs(place, unreadable), _READ_AT_MOST):
            before, decision = run.manifest(), summary.gate.decision
            started = datetime.fromisoformat(before.started)
            if now - started > WITHIN:
                if run.path.name == before.run_id:
                    break  # directories with the name of their run's id sort by time
                continue
            if before.run_id == manifest.run_id or decision is None or decision not in _DECIDED:
                continue
            if _same_change(before, manifest):
                attempts.append((started, EarlierAttempt(before.run_id, decision), run))
    return [(attempt, run) for _, attempt, run in sorted(attempts, key=lambda each: each[0])]


def _folders(folder: Path) -> list[Path]:
    """The folder of a suite's runs, and its newest grids: a cell of a grid is an attempt like any
    other run.
    """
    grids = sorted((folder / GRIDS).glob("*/"), key=lambda path: path.name, reverse=True)
    return [folder, *grids[:_READ_AT_MOST]]


def _same_change(one: Manifest, two: Manifest) -> bool:
    """Whether two runs test the same change. A much smaller sample, such as a trial run, does not
    count.
    """
    own = (one.parent_run, one.shard, one.selection) == (None, None, None)
    return own and _same_conditions(one, two) and _identity(one) == _identity(two)


def _same_conditions(one: Manifest, two: Manifest) -> bool:
    """Whether two runs have the same cases, prompts and scoring."""
    first, second = one.digests, two.digests
    same_cases = first.cases == second.cases or (
        (one.cases.limit, two.cases.limit) != (None, None) and 2 * one.cases.n >= two.cases.n
    )
    return same_cases and all(
        getattr(first, name) == getattr(second, name)
        for name in ("prompt", "checks", "candidate", "judges")
    )


def _identity(manifest: Manifest) -> tuple[object, ...]:
    git = manifest.git or GitRecord()
    return manifest.suite, manifest.baseline, manifest.modules, git.tree, git.changes


def _by_clock(environment: Mapping[str, str]) -> bool:
    """Whether the run was started by a schedule."""
    return any(environment.get(name, "").lower() == word for name, word in _STARTED_BY.items())


def _number(environment: Mapping[str, str]) -> int | None:
    for name, more in _NUMBERS.items():
        text = environment.get(name, "")
        if text.isascii() and text.isdigit() and int(text) + more >= 1:
            return int(text) + more
    return None


def _runs_of(record: AttemptRecord | None, folder: Path) -> list[RunDir]:
    """The runs of the earlier attempts that still exist."""
    earlier = () if record is None else record.earlier
    if not earlier:
        return []
    ids = {each.run_id for each in earlier}
    runs = {
        run.manifest().run_id: run
        for place in _folders(folder)
        for run, _ in islice(complete_runs(place), _READ_AT_MOST)
        if run.manifest().run_id in ids
    }
    return [runs[each.run_id] for each in earlier if each.run_id in runs]
