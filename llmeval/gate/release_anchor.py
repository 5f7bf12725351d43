"""The release next to the rolling baseline, and the chain of baselines with their drops from it.

A baseline that moves with every approval hides small drops: a point a week is never a regression
from last week. The release stays until a person names another one, and a rule of its own compares
each run with it (`gate.regression.release`).
"""

import math

from msgspec import structs

from llmeval.core.baseline_lock import Approval, BaselineLink, BaselineLock
from llmeval.core.errors import UsageError

_DIGITS = 6


def followed(new: BaselineLock, before: BaselineLock | None) -> BaselineLock:
    """A baseline that was approved just now, with the release and the chain of the one before.

    Raises:
        UsageError: the one before is of another suite.
    """
    if before is None:
        return structs.replace(new, chain=(_link(new, None),))
    if before.suite != new.suite:
        raise UsageError(
            f"the lock file holds the baseline of the suite {before.suite}, and run {new.run_id} is"
            f" of {new.suite}: name another file with --out baselines/NAME.lock.json; or delete it,"
            " if the suite has a new name"
        )
    return structs.replace(
        new, release=before.release, chain=(*_chain_of(before), _link(new, before.release))
    )


def updated(baseline: BaselineLock) -> BaselineLock:
    """A baseline that a run has just joined: its link is the last one of the chain."""
    return structs.replace(
        baseline, chain=(*_chain_of(baseline)[:-1], _link(baseline, baseline.release))
    )


def released(
    baseline: BaselineLock, approved: Approval, release: BaselineLock | None = None
) -> BaselineLock:
    """A baseline with a new release anchor.

    Args:
        baseline: the rolling one.
        approved: who names the release, and why.
        release: the release's runs; default: those of the rolling baseline itself.

    Raises:
        UsageError: a release of another suite, of other cases only, or scored otherwise.
    """
    anchor = structs.replace(
        release or baseline, approved=approved, release=None, chain=(), digest=""
    )
    if anchor.suite != baseline.suite:
        raise UsageError(
            f"run {anchor.run_id} is of the suite {anchor.suite}, the baseline of {baseline.suite}:"
            " name a run of this suite"
        )
    if not shared_cases(baseline, anchor):
        raise UsageError(
            f"run {anchor.run_id} shares no case with the baseline {baseline.run_id}, so nothing"
            " could be compared with it: name a run of this suite's cases"
        )
    if baseline.metrics and not drops_from(baseline, anchor):
        raise UsageError(
            f"run {anchor.run_id} shares no metric with the baseline {baseline.run_id} that the"
            " same judge or checks scored, so nothing could be compared with it: score it as the"
            f" baseline was (`llmeval score {anchor.run_id}`), and name that run"
        )
    link = structs.replace(_link(anchor, anchor), release=True)
    chain = _chain_of(baseline)
    if release is None:
        chain = chain[:-1]
    return structs.replace(baseline, release=anchor, chain=(*chain, link))


def shared_cases(one: BaselineLock, two: BaselineLock) -> list[str]:
    """Ids of the cases that both have, unchanged."""
    return [name for name, seen in one.cases.items() if two.cases.get(name) == seen]


def drops_from(baseline: BaselineLock, release: BaselineLock) -> dict[str, float | None]:
    """By metric that the same checks or judge scored: how far the mean is below the release's,
    over the cases that both have.
    """
    shared = shared_cases(baseline, release)
    drops: dict[str, float | None] = {}
    for name, column in baseline.metrics.items():
        old = release.metrics.get(name)
        if old is None or old.scorer != column.scorer:
            continue
        then, now = release.results(name), baseline.results(name)
        moved = [
            then[case] - now[case]
            for case in shared
            if case in then and case in now and not math.isnan(then[case] - now[case])
        ]
        drops[name] = round(math.fsum(moved) / len(moved), _DIGITS) if moved else None
    return drops


def _link(baseline: BaselineLock, release: BaselineLock | None) -> BaselineLink:
    approved = baseline.approved or Approval("", "not known", "")
    link = BaselineLink(
        run_id=baseline.run_id,
        runs=baseline.run_count,
        candidate=baseline.candidate,
        approved=approved,
    )
    if release is None:
        return link
    return structs.replace(
        link,
        against=release.run_id,
        drops=drops_from(baseline, release),
        cases=len(shared_cases(baseline, release)),
    )


def _chain_of(baseline: BaselineLock) -> tuple[BaselineLink, ...]:
    """The chain, also of a lock file from before there was one."""
    return baseline.chain or (_link(baseline, baseline.release),)
