"""A check of single turns of a conversation: `turn: last`, `turn: all` or `turn: 2`.

Without `turn` a check sees the answer as a whole: the text and the data of the last turn, and the
tool calls of all turns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from msgspec import structs

from llmeval.checks.base import Result, not_applicable, verdict
from llmeval.checks.bound import BoundCheck, Render
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case
from llmeval.core.templates import answer_values, render_value

TurnChoice = int | Literal["last", "all"]


def read_turn(value: object) -> TurnChoice:
    """The value of `turn`, as a suite writes it.

    Raises:
        ValueError: neither last, all nor a whole number from 1 on.
    """
    if value == "last":
        return "last"
    if value == "all":
        return "all"
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise ValueError(f"`turn` is last, all or the number of a turn from 1 on, not {value!r}")


@dataclass(frozen=True)
class TurnCheck(BoundCheck):
    """A check that sees one turn at a time, with the text, the data and the tool calls of it.

    With `all` it passes if it passes in every turn; its value is the mean.
    """

    metric: str
    inner: BoundCheck
    turn: TurnChoice

    @property
    def metrics(self) -> tuple[str, ...]:
        """See `BoundCheck.metrics`."""
        start = len(self.inner.metric)
        return (self.metric, *(self.metric + name[start:] for name in self.inner.metrics[1:]))

    @property
    def source(self) -> str | None:
        """See `BoundCheck.source`."""
        return self.inner.source

    @property
    def waits(self) -> bool:
        """See `BoundCheck.waits`."""
        return self.inner.waits

    @property
    def identity(self) -> Mapping[str, Any]:
        """The check's identity, and which turn it sees."""
        return {**self.inner.identity, "turn": self.turn}

    def applies(self, case: Case) -> bool:
        """See `BoundCheck.applies`."""
        return self.inner.applies(case)

    def prepare(self, case: Case, render: Render) -> None:
        """See `BoundCheck.prepare`."""
        self.inner.prepare(case, render)

    def evaluate(self, case: Case, answer: Answer, render: Render) -> Result:
        """See `BoundCheck.evaluate`. Templates see the data of the turn.

        Raises:
            CheckError: the conversation ended before the turn, for another reason than an empty
                reply. An empty reply is the candidate's fault, so the check fails.
        """
        views = _views(answer)
        if isinstance(self.turn, int) and self.turn > len(views):
            return self._not_played(answer, len(views))
        if isinstance(self.turn, int):
            numbers = [self.turn]
        else:
            numbers = [len(views)] if self.turn == "last" else list(range(1, len(views) + 1))
        results = [(number, self._evaluate(case, views[number - 1])) for number in numbers]
        return _together(results, last=len(views))

    def _evaluate(self, case: Case, view: Answer) -> Result:
        def render(value: Any) -> Any:
            return render_value(value, answer_values(case, view), self.metric)

        return self.inner.evaluate(case, view, render)

    def _not_played(self, answer: Answer, played: int) -> Result:
        reason = f"turn {self.turn} was not played: the conversation has {played}"
        if answer.ended == "empty":
            return verdict(False, f"{reason}, as the reply of turn {played} is empty")
        ended = f" and ended by `{answer.ended}`" if answer.ended else ""
        raise CheckError(f"{self.metric}: {reason}{ended}")


def _views(answer: Answer) -> list[Answer]:
    """The answer as a check of one turn sees it, for each turn."""
    if not answer.turns:
        return [answer]
    return [
        structs.replace(
            answer,
            output=turn.output,
            tool_calls=turn.tool_calls,
            data=turn.data,
            usage=turn.usage,
            latency_ms=turn.latency_ms,
            cost_usd=None,
        )
        for turn in answer.turns
    ]


def _together(results: Sequence[tuple[int, Result]], *, last: int) -> Result:
    """One result of those of several turns. Places are kept only for the last turn, whose text is
    the answer's own; those of other turns are in the details.
    """
    decided = [(number, result) for number, result in results if result.passed is not None]
    if not decided:
        return not_applicable(results[0][1].reason)
    failed = [(number, result) for number, result in decided if not result.passed]
    shown = failed or decided[-1:]
    reason = "; ".join(f"turn {number}: {result.reason or 'fails'}" for number, result in shown)
    if not failed and len(decided) > 1:
        reason = f"passes in each of {len(decided)} turns"
    values = [result.value for _, result in decided if result.value is not None]
    sure = [result.confidence for _, result in decided if result.confidence is not None]
    names = dict.fromkeys(name for _, result in decided for name in result.metrics)
    metrics = {
        name: _together([(n, r.metrics[name]) for n, r in decided if name in r.metrics], last=last)
        for name in names
    }
    first = decided[0][1] if len(decided) == 1 else Result(None, None)
    return replace(
        first,
        value=sum(values) / len(values),
        passed=not failed,
        reason=reason,
        evidence=tuple(s for number, r in decided if number == last for s in r.evidence),
        confidence=min(sure) if len(sure) == len(decided) else None,
        details={**(first.details or {}), "turns": [_detail(*each) for each in decided]},
        metrics=metrics,
    )


def _detail(number: int, result: Result) -> dict[str, Any]:
    """One turn, in the details of the score."""
    spans = [structs.asdict(span) for span in result.evidence]
    evidence = {"evidence": spans} if spans else {}
    return {"turn": number, "passed": result.passed, "reason": result.reason, **evidence}
