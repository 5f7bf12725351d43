"""What a cascade's audits show: how often the next judge contradicts a verdict that the cheaper one
was sure of.

Every sure verdict is audited with one known probability, so within the sure passes and within the
sure fails the audited ones are a random sample, each standing for as many as the others there. The
rate that the next judge would have given is then the weighted one of `stats.estimation.correction`,
with the next judge's verdict where people's stands (Horvitz, Thompson 1952).
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from llmeval.core.records import Score
from llmeval.core.results import Audit
from llmeval.stats.estimation.correction import estimate_rate
from llmeval.stats.estimation.label_counts import Provenance, RefusedEstimate, count_labels

_PASSED = {"pass": True, "fail": False}


@dataclass
class Audits:
    """The decided answers of one metric and the audits among them.

    `decided`: by the number of the judge that decided and its verdict. `pairs`: (sure verdict, the
        next judge's).
    """

    decided: Counter[tuple[int, bool]] = field(default_factory=Counter)
    missing: int = 0
    pairs: list[tuple[bool, bool]] = field(default_factory=list)

    def add(self, trail: list[dict[str, Any]], passed: bool) -> None:
        """One decided answer. `trail`: `details.cascade`."""
        deciding = sum(bool(part["decides"]) for part in trail)
        self.decided[deciding, passed] += 1
        if len(trail) > deciding:
            verdict = _PASSED.get(trail[-1]["status"])
            if verdict is None:
                self.missing += 1
            else:
                self.pairs.append((passed, verdict))

    def found(self, judges: int) -> Audit | None:
        """What they come to in a cascade of so many judges; None where nothing was audited."""
        if not self.pairs:
            return None
        sure = self._count(judges - 1)
        answers, passed, sure_passed = (
            self._count(judges),
            self._count(judges, True),
            self._count(judges - 1, True),
        )
        counts = count_labels([one for one, _ in self.pairs], [other for _, other in self.pairs])
        contradicted = counts.pass_fail + counts.fail_pass
        seen = (
            f"the next judge contradicts {contradicted:,} of {counts.n:,} audited verdicts that the"
            " one before was sure of"
        )
        if self.missing:
            seen += f" ({self.missing:,} more audits gave no verdict)"
        shared = {
            "audited": counts.n,
            "contradicted": contradicted,
            "sure": sure,
            "lost": self.missing,
        }
        try:
            estimate = estimate_rate(counts, sure_passed, sure, Provenance.BY_VERDICT)
        except RefusedEstimate as error:
            message = str(error).replace(
                "is labelled: label some at random", "is audited; a larger `audit` would tell"
            )
            return Audit(
                **shared, reason=f"{seen}; what it would say of all can't be estimated: {message}"
            )
        share, rest = sure / answers, (passed - sure_passed) / answers
        rate, low, high = (
            share * value + rest for value in (estimate.rate, estimate.low, estimate.high)
        )
        message = f"had it judged every answer, {rate:.1%} would pass ({low:.1%} to {high:.1%})"
        return Audit(
            **shared,
            rate=rate,
            low=low,
            high=high,
            reason=f"{seen}; {message}, where {passed / answers:.1%} do",
        )

    def _count(self, most: int, verdict: bool | None = None) -> int:
        """Answers that one of the first `most` judges decided, with this verdict (None: either)."""
        return sum(
            n
            for (judge, passed), n in self.decided.items()
            if judge <= most and verdict in (None, passed)
        )


def note(audits: dict[str, Audits], score: Score) -> None:
    """Take a score into account, where a cascade gave it."""
    trail = (score.details or {}).get("cascade")
    if trail and score.passed is not None:
        audits.setdefault(score.metric, Audits()).add(trail, score.passed)
