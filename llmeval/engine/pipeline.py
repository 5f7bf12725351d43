"""The run itself: as many cases in flight as asked for, each answered and scored, each record on disk at once.

    cases (lazy) -> [worker: answer -> record -> check and judge -> record] x concurrency

A worker takes the next case only when it is done with the last, so memory is O(concurrency) and answers are judged as
they arrive. What one model's endpoint allows is its limiter's business, not the workers'.
"""

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from llmeval.engine.budget import cost_of
from llmeval.engine.build import Plan
from llmeval.engine.progress import Progress
from llmeval.engine.scoring import check_scores, not_scored_yet, score_answer
from llmeval.engine.stopping import Stopper
from llmeval.engine.store import RunWriter
from llmeval.errors import SuiteError
from llmeval.models.base import Request
from llmeval.models.caller import AskFailed
from llmeval.records import Answer, Case, ErrorInfo, Message, Score, Status
from llmeval.rundir import Unit, UnitKey

GRACE_SECONDS = 2.0
"""How long calls in flight may finish after the first Ctrl-C."""
OUTAGE = 20
"""So many answers lost in a row, or one a worker, and the endpoint counts as down."""

Ending = Literal["complete", "decided", "interrupted", "budget", "outage"]


@dataclass
class Recorded:
    """What an earlier part of this run left: answers that need no call, and whether their scores are complete.

    `checked`: answers whose checks are scored, while a judge has still to answer.
    """

    answers: dict[UnitKey, int]
    scored: set[UnitKey]
    cases: set[str]
    checked: set[UnitKey] = field(default_factory=set)


class Pipeline:
    """Runs a plan into a run directory.

    Args:
        plan: what to run.
        writer: where records go.
        recorded: what is there already.
        concurrency: cases in flight.
        progress: is kept up to date.
        stopper: may end the run before its last case.
    """

    def __init__(
        self,
        plan: Plan,
        writer: RunWriter,
        recorded: Recorded,
        concurrency: int,
        progress: Progress,
        stopper: Stopper | None = None,
    ) -> None:
        self._plan, self._writer, self._recorded = plan, writer, recorded
        self._concurrency, self._progress, self._stopper = concurrency, progress, stopper
        self._workers: list[asyncio.Task[None]] = []
        self._lost_in_a_row = 0
        self._scoring = True
        self._stop: Ending | None = None
        self.reason = ""
        self.returned: dict[str, set[str]] = {"returned_models": set(), "fingerprints": set()}

    async def run(self, *, scoring: bool = True) -> Ending:
        """Everything that is left to do; how it ended.

        Args:
            scoring: False only asks the candidate; another pipeline then scores what this one recorded.

        Raises:
            StoreError: the run directory can't be written; nothing recorded is lost.
        """
        self._scoring = scoring
        if scoring and self._enough_recorded():
            return "decided"
        units = self._units()
        workers = self._workers = [asyncio.create_task(self._worker(units)) for _ in range(self._concurrency)]
        with self._interruptible(workers):
            done, pending = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
        for task in done:
            if not task.cancelled() and task.exception() is not None:
                raise task.exception()  # type: ignore[misc]
        return self._stop or "complete"

    def _units(self) -> Iterator[tuple[Case, int]]:
        """What is left to do; a case is recorded before its first unit is handed out."""
        for case in self._plan.cases:
            if case.id not in self._recorded.cases:
                self._writer.case(case)
            for repeat in range(self._plan.suite.spec.repeats):
                if (case.id, repeat) not in self._recorded.scored:
                    yield case, repeat

    async def _worker(self, units: Iterator[tuple[Case, int]]) -> None:
        for case, repeat in units:
            if self._stop is not None:
                return
            await self._unit(case, repeat)

    async def _unit(self, case: Case, repeat: int) -> None:
        messages: tuple[Message, ...] = ()
        offset = self._recorded.answers.get((case.id, repeat))
        try:
            messages = self._plan.messages(case)
            answer = self._writer.run.answer_at(offset) if offset is not None else None
        except SuiteError as error:
            answer = Answer(case_id=case.id, repeat=repeat, error=ErrorInfo("config", str(error)))
            self._writer.answer(answer)
        if answer is None:
            answer = await self._ask(case, repeat, messages)
            if answer is None:
                return
            self._writer.answer(answer)
        scores: list[Score] = []
        checked = self._check(case, answer) if answer.error is None else []
        if not self._scoring:
            self._note_outage(answer, scores)
            return
        if answer.error is None:
            scores = await score_answer(self._plan, case, answer, messages, checked)
            if self._plan.budget.stopped is not None and any(_lacks_budget(score) for score in scores):
                self._end("budget", self._plan.budget.stopped)
                return
            self._writer.scores(scores)
            self._note_calls(scores)
        self._progress.scored(answer, scores)
        self._note_outage(answer, scores)
        if self._stopper is not None and self._stopper.add(Unit(case, answer, tuple(scores))):
            self._end("decided", "")
            self._cancel_others()

    def _check(self, case: Case, answer: Answer) -> list[Score]:
        """The checks' scores. They are recorded at once where a judge has still to answer, so that an interruption does
        not lose them; the final block, with the judge's, then takes their place."""
        checked, key = check_scores(self._plan, case, answer), (case.id, answer.repeat)
        if self._plan.judges and key not in self._recorded.checked:
            self._writer.scores([*checked, *not_scored_yet(self._plan, answer)])
        return checked

    def _enough_recorded(self) -> bool:
        """Tell the stopper what an earlier part of the run left; whether that decides."""
        if self._stopper is None:
            return False
        for unit in self._writer.run.units():
            if (unit.answer.case_id, unit.answer.repeat) in self._recorded.scored:
                self._stopper.add(unit)
        return self._stopper.enough()

    def _cancel_others(self) -> None:
        """What is in flight is not needed."""
        for task in self._workers:
            if task is not asyncio.current_task():
                task.cancel()

    async def _ask(self, case: Case, repeat: int, messages: tuple[Message, ...]) -> Answer | None:
        """The candidate's answer, or the record of why there is none; None when the budget is used up."""
        seat = self._plan.candidate
        request = Request(messages=messages, repeat=repeat, case_id=case.id if self._plan.by_case else "")
        try:
            asked = await seat.caller.ask(request)
        except AskFailed as error:
            if error.kind == "budget":
                self._end("budget", self._plan.budget.stopped or "")
                return None
            self._progress.calls += error.attempts
            return Answer(
                case_id=case.id, repeat=repeat, request=error.key, attempts=error.attempts,
                error=ErrorInfo(error.kind, str(error)),
            )  # fmt: skip
        self._progress.calls += asked.attempts
        self._progress.cached += asked.cached
        reply = asked.reply
        if reply.model:
            self.returned["returned_models"].add(reply.model)
        if reply.fingerprint:
            self.returned["fingerprints"].add(reply.fingerprint)
        cost = None if asked.cached else cost_of(reply.usage, seat.spec.price)
        self._plan.budget.spend(cost)
        return Answer(
            case_id=case.id, repeat=repeat, request=asked.key, output=reply.text, finish_reason=reply.finish_reason,
            usage=reply.usage, latency_ms=None if reply.latency_ms is None else round(reply.latency_ms, 3),
            cached=asked.cached, attempts=asked.attempts, cost_usd=cost, model=reply.model,
            fingerprint=reply.fingerprint, tool_calls=reply.tool_calls,
        )  # fmt: skip

    def _note_calls(self, scores: list[Score]) -> None:
        for score in scores:
            if score.source == "judge":
                self._progress.calls += score.attempts
                self._progress.cached += score.cached
                self._plan.budget.spend(score.cost_usd)

    def _note_outage(self, answer: Answer, scores: list[Score]) -> None:
        """Stop when nothing gets through any more: every further case would be lost the same way."""
        lost = answer.error if answer.error is not None else next(
            (s.error for s in scores if s.error is not None and s.source == "judge"), None
        )  # fmt: skip
        if lost is None or lost.kind not in ("provider", "judge"):
            self._lost_in_a_row = 0
            return
        self._lost_in_a_row += 1
        if self._lost_in_a_row >= max(OUTAGE, self._concurrency):
            self._end("outage", f"{self._lost_in_a_row} cases in a row were lost; the last: {lost.message}")

    def _end(self, how: Ending, reason: str) -> None:
        if self._stop is None:
            self._stop, self.reason = how, reason

    @contextlib.contextmanager
    def _interruptible(self, workers: list["asyncio.Task[None]"]) -> Iterator[None]:
        """First SIGINT or SIGTERM: no new case, calls in flight get a moment, then they end. Second: at once."""
        loop = asyncio.get_running_loop()

        def cancel() -> None:
            for task in workers:
                task.cancel()

        def interrupt() -> None:
            if self._stop == "interrupted":
                cancel()
                return
            self._stop, self.reason = "interrupted", "interrupted"
            self._progress.note = "stopping: calls in flight get a moment, Ctrl-C again leaves at once"
            loop.call_later(GRACE_SECONDS, cancel)

        installed = []
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
                loop.add_signal_handler(number, interrupt)
                installed.append(number)
        try:
            yield
        finally:
            for number in installed:
                loop.remove_signal_handler(number)


def _lacks_budget(score: Score) -> bool:
    return score.status is Status.UNSCORED and score.error is not None and "budget of this run" in score.error.message
