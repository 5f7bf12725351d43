"""How far the measurement of a judge is: verdicts so far, their rate and their cost."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmeval.core.records import Answer, Case, Message, Score
from llmeval.judges.ensemble import MemberVerdict
from llmeval.judges.judge import Judge
from llmeval.judges.protocol import Criterion


@dataclass
class JudgingProgress:
    """Counts the verdicts of one measurement.

    Args:
        planned: at most so many verdicts; a judge that is not trusted needs fewer.
    """

    planned: int
    done: int = 0
    cost_usd: float | None = None
    """Of the verdicts so far; None if the model states no price and the suite neither."""
    started: float = field(default_factory=time.monotonic)

    def add(self, score: Score) -> None:
        """Count a verdict."""
        self.done += 1
        if score.cost_usd is not None and not score.cached:
            self.cost_usd = (self.cost_usd or 0.0) + score.cost_usd

    @property
    def seconds_left(self) -> float | None:
        """At the rate so far; None before the first verdict."""
        spent = time.monotonic() - self.started
        return spent / self.done * max(0, self.planned - self.done) if self.done else None

    @property
    def cost_left(self) -> float | None:
        """At the cost a verdict so far, in US dollars; None without one."""
        if self.cost_usd is None or not self.done:
            return None
        return self.cost_usd / self.done * max(0, self.planned - self.done)

    def sentence(self) -> str:
        """120 of at most 260 verdicts, about 12 s and $0.03 left."""
        text = f"{self.done:,} of at most {self.planned:,} verdicts"
        left = [] if self.seconds_left is None else [f"{self.seconds_left:,.0f} s"]
        left += [] if self.cost_left is None else [f"${self.cost_left:.4f}"]
        spent = "" if self.cost_usd is None else f", ${self.cost_usd:.4f} so far"
        return f"{text}{spent}, about {' and '.join(left)} left" if left else f"{text}{spent}"


OnProgress = Callable[[JudgingProgress], None]
"""Called after each verdict."""


class CountedJudge:
    """A judge whose verdicts are counted; everything else is the judge's own."""

    def __init__(
        self, judge: MemberVerdict, progress: JudgingProgress, on_progress: OnProgress
    ) -> None:
        self._judge, self._progress, self._on_progress = judge, progress, on_progress
        self.metric, self.digest, self.rules = judge.metric, judge.digest, judge.rules

    @property
    def members(self) -> Sequence[Judge]:
        """Its single judges."""
        return self._judge.members

    def uncached(self) -> "CountedJudge":
        """The same judge without a cache, counted too."""
        return CountedJudge(self._judge.uncached(), self._progress, self._on_progress)

    def on_criteria(self, criteria: Sequence[Criterion]) -> "CountedJudge":
        """The judge with other criteria, counted too."""
        judge = self._judge.on_criteria(criteria)
        return CountedJudge(judge, self._progress, self._on_progress)

    async def score(
        self, case: Case, answer: Answer, candidate_messages: Sequence[Message]
    ) -> Score:
        """One score of one answer."""
        score = await self._judge.score(case, answer, candidate_messages)
        self._progress.add(score)
        self._on_progress(self._progress)
        return score

    def prompt_size(
        self, case: Case, answer: Answer, candidate_messages: Sequence[Message]
    ) -> int | None:
        """Characters in the prompts for judging this answer."""
        return self._judge.prompt_size(case, answer, candidate_messages)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._judge, name)
