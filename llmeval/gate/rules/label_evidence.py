"""Labels that correct a judge's pass rate, and the bounds of people's pass rate that they carry."""

import math
from typing import NamedTuple

from llmeval.core.formatting import points
from llmeval.core.model_records import LabelTable
from llmeval.gate.aggregate import MetricSample
from llmeval.gate.rules.floors import is_clustered
from llmeval.stats.estimation.bounds import Interval, lower_bound, mean_bounds, upper_bound
from llmeval.stats.estimation.correction import decision_bounds
from llmeval.stats.estimation.label_counts import LabelCounts, Provenance

_PARTS = 3
"""Unknowns that share alpha where cases come in clusters: the judged rate and two of the
judge's.
"""


class LabelEvidence(NamedTuple):
    """Labels that correct a judge, and where they came from. `labels`: how many, where `counts` are
    weighted.
    """

    counts: LabelCounts
    provenance: Provenance
    labels: int | None = None
    others: str = ""
    """The systems whose answers the labels are of, where this run's is not among them."""
    shift: float = 0.0
    """By how much the judge's sensitivity and specificity may then differ on this run's answers."""
    open_passes: int = 0
    """Drawn answers that the judge passes, with a label and without a verdict: reviewers differ, or
    nobody is sure. Each bound takes them as what hurts its own claim.
    """
    open_fails: int = 0
    """The same of answers that the judge fails."""
    revised: int = 0
    """Answers on which a reviewer changed a verdict; the later one counts."""

    @property
    def undecided(self) -> int:
        """Drawn answers with a label and without a verdict."""
        return self.open_passes + self.open_fails

    def counted(self, *, passes: bool) -> LabelCounts:
        """The counts, with all undecided answers as people's passes, or as their fails."""
        good_pass, bad_pass, good_fail, bad_fail = self.counts
        if passes:
            good_pass, good_fail = good_pass + self.open_passes, good_fail + self.open_fails
        else:
            bad_pass, bad_fail = bad_pass + self.open_passes, bad_fail + self.open_fails
        return LabelCounts(good_pass, bad_pass, good_fail, bad_fail)

    @property
    def n(self) -> int:
        """Labels."""
        return self.counts.n if self.labels is None else self.labels

    @property
    def shown(self) -> str:
        """As a sentence says it."""
        if self.provenance is Provenance.BANK:
            if not self.others:
                return f"the {self.n:,} labels of its certificate"
            return (
                f"the {self.n:,} labels of its certificate, which are of other answers"
                f" ({self.others}; {points(self.shift)} are allowed for, `judge_shift`)"
            )
        notes = []
        if self.undecided:
            notes.append(
                f"{self.undecided:,} more answers have no verdict that people agree on, and may be"
                " right or wrong"
            )
        if self.revised:
            notes.append(
                f"on {self.revised:,} a reviewer changed the verdict, and the later one counts"
            )
        more = f" ({'; '.join(notes)})" if notes else ""
        return f"{self.n:,} labels of this run, drawn at random{more}"


def label_counts(table: LabelTable) -> LabelCounts:
    """The labels of a certificate, as statistics take them; weighted counts need not be whole."""
    return LabelCounts._make((table.pass_pass, table.pass_fail, table.fail_pass, table.fail_fail))


def bounds(selection: MetricSample, evidence: LabelEvidence, alpha: float) -> Interval:
    """One-sided bounds of people's pass rate, each at `alpha`.

    Answers without an agreed verdict count as fails for the lower bound and as passes for the upper
    one. Where the labels are of other answers, the judged rate may be off by `shift`: by so much
    sensitivity and specificity may differ. With clusters each unknown part takes its bound at
    alpha/3 (Bonferroni), the judged rate that of `stats.estimation.bounds.mean_bounds`.

    Raises:
        RefusedEstimate: the labels can't carry it.
    """
    if evidence.undecided:
        worst, best = (
            evidence._replace(
                counts=evidence.counted(passes=passes), labels=None, open_passes=0, open_fails=0
            )
            for passes in (False, True)
        )
        return Interval(bounds(selection, worst, alpha).low, bounds(selection, best, alpha).high)
    labels = evidence.counts
    if not is_clustered(selection):
        n, moved = selection.n, math.ceil(evidence.shift * selection.n)
        fewest, most = max(0, selection.passed - moved), min(n, selection.passed + moved)
        return Interval(
            decision_bounds(labels, fewest, n, evidence.provenance, alpha).low,
            decision_bounds(labels, most, n, evidence.provenance, alpha).high,
        )
    share = alpha / _PARTS
    q = mean_bounds(selection.outcomes, share, selection.clusters)
    q = Interval(max(0.0, q.low - evidence.shift), min(1.0, q.high + evidence.shift))
    if evidence.provenance is Provenance.BANK:
        right = _rate(labels.pass_pass, labels.human_pass, share)
        wrong = _rate(labels.pass_fail, labels.human_fail, share)
        return Interval(
            _behind(q.low, right.high, wrong.high), _behind(q.high, right.low, wrong.low)
        )
    good, missed = (
        _rate(labels.pass_pass, labels.judge_pass, share),
        _rate(labels.fail_pass, labels.judge_fail, share),
    )
    low = min(rate * good.low + (1 - rate) * missed.low for rate in q)
    return Interval(low, max(rate * good.high + (1 - rate) * missed.high for rate in q))


def _rate(k: int, n: int, alpha: float) -> Interval:
    return Interval(lower_bound(k, n, alpha), upper_bound(k, n, alpha))


def _behind(q: float, right: float, wrong: float) -> float:
    """Rogan and Gladen's rate from the judged one and the judge's share of passes among good and
    bad answers.
    """
    if right <= wrong:
        return 0.0 if q <= wrong else 1.0
    return min(1.0, max(0.0, (q - wrong) / (right - wrong)))
