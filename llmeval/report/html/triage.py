"""What a person should look at first: each row gets a queue and a priority within it.

    PROBLEM     no result: an error or an unscored verdict
    REGRESSED   a metric passed in the baseline and fails now
    DISAGREES   judges, checks, repeats or people contradict each other, or a person must decide
    NEW         fails, and the baseline has nothing to compare with
    KNOWN       fails as the baseline did
    UNTRUSTED   only a judge that is not trusted contradicts the others, or asks for a person
    FIXED       a metric failed in the baseline and passes now
    REST        everything else

Within a queue: gate weight x drop x confidence, largest first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from llmeval.core.manifest import Manifest
from llmeval.core.metric_ref import metric_of
from llmeval.core.outcome import Outcome
from llmeval.core.records import Score, Status
from llmeval.core.rule_keys import expand_key
from llmeval.report.html.row import ReportRow
from llmeval.store.labels import AnswerKey


class TriageQueue(IntEnum):
    """In the order of work."""

    PROBLEM = 1
    REGRESSED = 2
    DISAGREES = 3
    NEW = 4
    KNOWN = 5
    UNTRUSTED = 6
    FIXED = 7
    REST = 8


GATED, REPORTED = 1.0, 0.25
"""Weight of a metric that the gate decides on, and of one that is only reported."""
TRUSTED, UNTRUSTED = 0.9, 0.5
"""Confidence in a judge's verdict that states none itself."""


@dataclass(frozen=True, slots=True)
class Triage:
    """Where a row stands. `state`: its outcome, over all its scores."""

    queue: TriageQueue
    priority: float
    state: Outcome
    regressed: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()
    disagreement: str = ""


@dataclass(frozen=True)
class TriageRules:
    """What triage needs to know of the run.

    `people`: the last verdict of anybody.
    """

    gated: frozenset[str] = frozenset()
    untrusted: frozenset[str] = frozenset()
    twins: tuple[tuple[str, ...], ...] = ()
    people: Mapping[AnswerKey, bool] = field(default_factory=dict)
    quarantined: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        manifest: Manifest,
        people: Mapping[AnswerKey, bool],
    ) -> "TriageRules":
        """From the manifest: which metrics the gate names, which judges are not trusted, which
        measure the same.
        """
        gate = manifest.gate
        metrics = (*manifest.check_metrics, *manifest.judges)
        keys = [*gate.floors, *gate.margins, *gate.release_margins, *gate.never]
        judges = manifest.judges
        by_prompt: dict[str, list[str]] = {}
        for name, judge in judges.items():
            by_prompt.setdefault(str(judge.prompt), []).append(name)
        if any(check.get("metric") == "facts" for check in manifest.checks):
            by_prompt.setdefault("reference", []).append("facts")
        return cls(
            gated=frozenset(
                rule.metric for key in keys for rule in expand_key(metric_of(key), metrics, ())
            ),
            untrusted=frozenset(name for name, judge in judges.items() if judge.trust != "TRUSTED"),
            twins=tuple(tuple(names) for names in by_prompt.values() if len(names) > 1),
            people=people,
            quarantined=manifest.quarantined,
        )

    def weight(self, score: Score) -> float:
        """Gate weight x confidence of one score."""
        confidence = score.confidence
        if confidence is None:
            confidence = (
                1.0
                if score.source != "judge"
                else UNTRUSTED
                if score.metric in self.untrusted
                else TRUSTED
            )
        return (GATED if score.metric in self.gated else REPORTED) * confidence


def triage(row: ReportRow, rules: TriageRules, flipped: bool = False) -> Triage:
    """Place one row. `flipped`: equal answers to this case were judged differently on repeat."""
    scores = {score.metric: score for score in row.scores}
    before = (
        {} if row.before is None or row.case_changed else {s.metric: s for s in row.before.scores}
    )
    state = row.outcome
    failing = tuple(
        sorted(
            (name for name, score in scores.items() if score.status is Status.FAIL),
            key=lambda name: -rules.weight(scores[name]),
        )
    )
    regressed = tuple(name for name in failing if _is(before.get(name), Status.PASS))
    fixed = tuple(
        n for n, s in before.items() if s.status is Status.FAIL and _is(scores.get(n), Status.PASS)
    )
    disagreement = _disagreement(scores, rules, row, flipped)
    queue = _queue(state, regressed, fixed, failing, disagreement, before)
    if queue is TriageQueue.DISAGREES and _only_untrusted(scores, rules, row):
        queue = TriageQueue.UNTRUSTED
        if not rules.untrusted.issuperset(failing):
            queue = _queue(state, regressed, fixed, failing, "", before)
    if row.case.id in rules.quarantined and state is not Outcome.PASS:
        queue = TriageQueue.KNOWN
    named = regressed or failing
    priority = max(
        (rules.weight(scores[n]) * _drop(scores[n], before.get(n)) for n in named), default=0.0
    )
    return Triage(queue, priority, state, regressed, fixed, failing, disagreement)


def _queue(
    state: Outcome,
    regressed: Sequence[str],
    fixed: Sequence[str],
    failing: Sequence[str],
    disagreement: str,
    before: Mapping[str, Score],
) -> TriageQueue:
    if state.missing and state is not Outcome.NOT_SCORED:
        return TriageQueue.PROBLEM
    if regressed:
        return TriageQueue.REGRESSED
    if disagreement:
        return TriageQueue.DISAGREES
    if failing:
        return (
            TriageQueue.KNOWN
            if any(_is(before.get(name), Status.FAIL) for name in failing)
            else TriageQueue.NEW
        )
    return TriageQueue.FIXED if fixed else TriageQueue.REST


def _disagreement(
    scores: Mapping[str, Score], rules: TriageRules, row: ReportRow, flipped: bool
) -> str:
    for names in rules.twins:
        verdicts = {
            n: scores[n].passed for n in names if n in scores and scores[n].passed is not None
        }
        if len(set(verdicts.values())) > 1:
            return " but ".join(
                f"{n} says {'pass' if ok else 'fail'}" for n, ok in verdicts.items()
            )
    for name, score in scores.items():
        person = rules.people.get(AnswerKey(score.case_id, score.repeat, name))
        if score.status is Status.NEEDS_REVIEW:
            return f"{name}: {score.unscored}"
        if person is not None and score.passed is not None and person != score.passed:
            return (
                f"a person says {'pass' if person else 'fail'}, {name} says"
                f" {'pass' if score.passed else 'fail'}"
            )
    return "the same answer got different verdicts on repeat" if flipped else ""


def _only_untrusted(scores: Mapping[str, Score], rules: TriageRules, row: ReportRow) -> bool:
    """Whether every contradiction of a row is one between an untrusted judge and checks. A person
    who contradicts a judge is evidence about it, so that row does not count.
    """
    if rules.untrusted.isdisjoint(scores):
        return False
    for name, score in scores.items():
        person = rules.people.get(AnswerKey(score.case_id, score.repeat, name))
        if person is not None and score.passed is not None and person != score.passed:
            return False
    sure = {name: score for name, score in scores.items() if name not in rules.untrusted}
    judged = any(score.source == "judge" for score in sure.values())
    return not judged and not _disagreement(sure, rules, row, flipped=False)


def _is(score: Score | None, status: Status) -> bool:
    return score is not None and score.status is status


def _drop(now: Score, before: Score | None) -> float:
    was = 1.0 if before is None or before.value is None else before.value
    return max(was - (now.value or 0.0), 0.05)
