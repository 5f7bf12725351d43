"""The calls of a run, and how much it took from earlier runs: counted from its answers and scores
alone.
"""

import math
from dataclasses import dataclass, field

from llmeval.core.judge_probe import JudgeProbe
from llmeval.core.records import Answer, Score, Status
from llmeval.core.results import Calls, Reuse, Reused

_VERDICTS = frozenset({Status.PASS, Status.FAIL, Status.NEEDS_REVIEW})


class CallCount:
    """Sums over the calls of one role."""

    def __init__(self) -> None:
        self.made = self.cached = self.retried = self.failed = self.input = self.output = 0
        self.costs: list[float] = []

    def add(
        self,
        attempts: int,
        cached: bool,
        failed: bool,
        usage: object,
        cost: float | None,
        needed: int = 1,
    ) -> None:
        """Take one answer or score: calls sent, whether none was needed or none got through,
        tokens, US dollars, and how many calls it takes without a retry.
        """
        self.made += attempts
        self.cached += cached
        self.retried += max(0, attempts - needed)
        self.failed += failed
        if not cached and usage is not None:
            self.input += getattr(usage, "input_tokens", None) or 0
            self.output += getattr(usage, "output_tokens", None) or 0
        if cost is not None:
            self.costs.append(cost)

    def record(self) -> Calls:
        """The sums."""
        return Calls(
            made=self.made,
            cached=self.cached,
            retried=self.retried,
            failed=self.failed,
            input_tokens=self.input,
            output_tokens=self.output,
            cost_usd=math.fsum(self.costs) if self.costs else None,
        )


@dataclass
class _Count:
    reused: int = 0
    of: int = 0
    oldest: str | None = None
    undated: bool = False

    def add(self, reused_from: str | None, answered_at: str | None) -> None:
        self.of += 1
        if reused_from is None:
            return
        self.reused += 1
        if answered_at is None:
            self.undated = (
                True  # a verdict of a baseline, an answer of an older llmeval: it may be the oldest
            )
        else:
            self.oldest = min(self.oldest or answered_at, answered_at)

    def record(self) -> Reused:
        return Reused(reused=self.reused, of=self.of, oldest=None if self.undated else self.oldest)


@dataclass
class ReuseCount:
    """Counts answers with an output, and verdicts: scores for which a judge replied, in this run or
    an earlier one.
    """

    _answers: _Count = field(default_factory=_Count)
    _verdicts: _Count = field(default_factory=_Count)

    def answer(self, answer: Answer) -> None:
        """Take an answer; one without an output counts nowhere."""
        if answer.error is None:
            self._answers.add(answer.reused_from, answer.answered_at)

    def score(self, score: Score) -> None:
        """Take a score; one that no judge gave, or that has no verdict, counts nowhere."""
        replied = score.answered_at is not None or score.reused_from is not None
        if score.source == "judge" and score.status in _VERDICTS and replied:
            self._verdicts.add(score.reused_from, score.answered_at)

    def record(self) -> Reuse:
        """The counts."""
        return Reuse(answers=self._answers.record(), verdicts=self._verdicts.record())


class RunCalls:
    """The calls of a run by role, and what it took from earlier runs."""

    def __init__(self) -> None:
        self._roles: dict[str, CallCount] = {}
        self._reuse = ReuseCount()

    def add_answer(self, answer: Answer) -> None:
        """Take an answer of the candidate."""
        failed = answer.error is not None
        needed = sum(turn.attempts > 0 for turn in answer.turns) or 1
        self._role("candidate").add(
            answer.attempts, answer.cached, failed, answer.usage, answer.cost_usd, needed
        )
        self._reuse.answer(answer)
        if (user := answer.user) is not None and not answer.cached:
            failed = answer.error is not None and answer.error.kind == "user"
            needed = user.attempts  # which of them were retries is not recorded
            self._role("user").add(
                user.attempts, user.cached, failed, user.usage, user.cost_usd, needed
            )

    def add_score(self, score: Score) -> None:
        """Take a judge's score."""
        self._role(f"judge:{score.metric}").add(
            score.attempts, score.cached, score.unanswered, score.usage, score.cost_usd
        )
        self._reuse.score(score)

    def add_judge_probe(self, judge_probe: JudgeProbe) -> None:
        """Take a line of `judge_probes.jsonl`."""
        self._role(f"{judge_probe.kind}s:{judge_probe.metric}").add(
            judge_probe.attempts,
            judge_probe.cached,
            judge_probe.failed,
            judge_probe.usage,
            judge_probe.cost_usd,
        )

    def by_role(self) -> dict[str, Calls]:
        """Calls by role: `candidate`, `user`, `judge:<metric>`, `attacks:<metric>`,
        `anchors:<metric>`.
        """
        return {role: count.record() for role, count in sorted(self._roles.items())}

    def reuse(self) -> Reuse:
        """How many answers and verdicts earlier runs paid for."""
        return self._reuse.record()

    def _role(self, name: str) -> CallCount:
        count = self._roles.get(name)
        if count is None:
            count = self._roles[name] = CallCount()
        return count
