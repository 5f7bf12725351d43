"""When a run may stop: as soon as every rule of its gate is decided."""

from collections.abc import Iterable
from pathlib import Path

from llmeval.core.manifest import Manifest
from llmeval.core.metric_ref import metric_of
from llmeval.core.records import Case
from llmeval.gate.aggregate import RunAggregate
from llmeval.gate.attempts import Attempts, attempts_of
from llmeval.gate.baseline import read_baseline
from llmeval.gate.rules.must_pass import MustPassWalk
from llmeval.gate.rules.regression import walk_of
from llmeval.gate.rules.regression_rule import RegressionRule, comparisons
from llmeval.gate.rules.sequential import RuleWalk, decides_early, floor_walk
from llmeval.gate.rules.threshold import floors_in
from llmeval.store.directory import Unit
from llmeval.store.run_store import RunStore

ANALYSIS_EVERY = 10
"""Answers between two interim analyses."""


class GateStopper:
    """Takes scored answers as they come; says when more would change no decision.

    Args:
        run: the run's directory.
        manifest: the run's.
        planned: its cases, in the order they are asked.
    """

    def __init__(self, run: RunStore, manifest: Manifest, planned: Iterable[Case]) -> None:
        self._aggregate = RunAggregate(
            run.path, planned, manifest.repeats, quarantined=manifest.quarantined
        )
        self._walks = _walks(self._aggregate, manifest)
        self._since = 0

    def add(self, unit: Unit) -> bool:
        """Take an answer with all its scores, or a missing one; whether every rule is decided.
        Looks now and then only.
        """
        self._aggregate.add(unit)
        self._since += 1
        return self._since % ANALYSIS_EVERY == 0 and self.enough()

    def enough(self) -> bool:
        """Whether every rule is decided."""
        return _settled(self._walks)


def settled(aggregate: RunAggregate, manifest: Manifest) -> bool:
    """Whether a run may have stopped where it is: every rule is decided."""
    now = attempts_of(aggregate, manifest).manifest(manifest)
    return now.may_stop and _settled(_walks(aggregate, now))


def _settled(walks: list[RuleWalk | MustPassWalk]) -> bool:
    for walk in walks:
        walk.advance()
    return bool(walks) and all(walk.settled for walk in walks)


def _walks(aggregate: RunAggregate, manifest: Manifest) -> list[RuleWalk | MustPassWalk]:
    """The rules as walks; none where one of them can't be decided before the end, so that nothing
    stops the run.
    """
    gate = manifest.gate
    walks: list[RuleWalk | MustPassWalk] = []
    if must_pass := gate.must_pass:
        walks.append(MustPassWalk(aggregate, must_pass, manifest.untrusted))
    for key, floor in floors_in(gate.floors).items():
        if not decides_early(manifest, metric_of(key), floor):
            return []
        walks.append(floor_walk(aggregate, gate, key, floor.value))
    if gate.regression is None:
        return walks
    if gate.about == "these_cases":
        return []
    path = None if manifest.baseline is None else Path(manifest.baseline)
    baseline = read_baseline(path) if path is not None and path.exists() else None
    if baseline is None or baseline.expired():
        return []
    both = [(baseline, comparisons(aggregate, manifest, baseline))]
    if gate.release_margins:
        if baseline.release is None:
            return []
        anchored = comparisons(aggregate, manifest, baseline.release, release=True)
        both.append((baseline.release, anchored))
    for before, rules in both:
        for compared in rules:
            if not isinstance(compared, RegressionRule) or compared.untrusted is not None:
                return []
            walks.append(walk_of(aggregate, manifest, before, compared))
    return walks if all(walk.planned for walk in walks) else []


def stopper(run: RunStore, manifest: Manifest, planned: Iterable[Case]) -> GateStopper | None:
    """What stops this run early.

    None for a run that goes to its end, as later attempts of a change do.
    """
    now = Attempts(manifest.attempt, 1 if manifest.attempt is None else manifest.attempt.number)
    first = now.manifest(manifest)
    return GateStopper(run, first, planned) if first.may_stop else None
