"""The pipeline of a run: up to `concurrency` cases in flight. Each is answered and scored, and each
record is written at once.

    cases (lazy) -> [slot: answer -> record -> check and judge -> record] x concurrency

A slot takes the next case only when the last one is done, or while the last one waits for another
attempt (`slots`). Memory is therefore O(concurrency), and answers are judged as they arrive. The
limiter of a model, not the workers, enforces the limits of its endpoint.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence

from llmeval.core.conversation import sent_before
from llmeval.core.errors import SuiteError
from llmeval.core.manifest import Ending
from llmeval.core.records import Answer, Case, ErrorInfo, Message, Score
from llmeval.runner.candidate_calls import CandidateCalls
from llmeval.runner.executor import WorkItem
from llmeval.runner.interrupts import on_interrupt
from llmeval.runner.plan import RunPlan
from llmeval.runner.progress import Progress
from llmeval.runner.recorded_answers import RecordedAnswers
from llmeval.runner.scoring import check_scores, counts_as_failed, not_scored_yet, score_answer
from llmeval.runner.services import Verdicts
from llmeval.runner.slots import WORKERS_PER_SLOT
from llmeval.runner.stopping import Stopper
from llmeval.runner.unit_records import UnitRecords
from llmeval.store.directory import Unit

GRACE_SECONDS = 2.0
"""Seconds for calls in flight to finish after the first Ctrl-C, or after a quota is used up."""
STOP_SECONDS = 60.0
"""The same after a used-up budget or an outage. It is longer, because the calls in flight are paid
for.
"""
GATHER_SECONDS = 0.01
"""Finished units are gathered this long: waking the reader for each costs 10 microseconds."""
MOST_READY = 512
"""Finished units that wait for the reader. Answers without a call (recorded ones, the cache) come
faster than it reads, and would fill the memory.
"""
OUTAGE = 20
"""The endpoint counts as down after this number of missing answers in a row, or one for each
worker.
"""
_OUTAGES = ("provider",)
"""Kinds of errors that show an outage if many occur in a row."""


class Pipeline:
    """Answers and scores cases in this process: the `Executor` of one machine. A worker of a
    cluster runs one for each batch.

    Args:
        plan: the plan to run.
        run_id: the id of the run.
        writer: gets the records, and has those of an earlier part.
        recorded: what the earlier part recorded.
        concurrency: cases in flight.
        progress: the counters to update.
        verdicts: gives verdicts that need no call.
        stopper: may end the run before its last case.
        scoring: False only asks the candidate, and no unit is done; `going_on` then scores.
    """

    def __init__(
        self,
        plan: RunPlan,
        run_id: str,
        writer: UnitRecords,
        recorded: RecordedAnswers,
        concurrency: int,
        progress: Progress,
        verdicts: Verdicts,
        stopper: Stopper | None = None,
        *,
        scoring: bool = True,
    ) -> None:
        self._plan, self._run_id = plan, run_id
        self._writer, self._recorded = writer, recorded
        self._concurrency, self._progress, self._stopper = concurrency, progress, stopper
        self._verdicts = verdicts
        self._candidate = CandidateCalls(plan, run_id, progress)
        self._workers: list[asyncio.Task[None]] = []
        self._missing_in_a_row = 0
        self._priced = asyncio.Event()
        self._scoring = scoring
        self._stop: Ending | None = None
        self._done: list[Unit] = []
        self._ready, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()
        self.reason = ""
        self.judges: dict[str, set[str | None]] = {}
        """By metric, the digests of the judges that the scores of this session name."""

    def going_on(self, recorded: RecordedAnswers) -> "Pipeline":
        """The pipeline for the rest of the work after this one has recorded all answers."""
        rest = Pipeline(
            self._plan,
            self._run_id,
            self._writer,
            recorded,
            self._concurrency,
            self._progress,
            self._verdicts,
            self._stopper,
        )
        rest._candidate = self._candidate
        return rest

    @property
    def returned(self) -> dict[str, set[str]]:
        """See `CandidateCalls.returned`."""
        return self._candidate.returned

    @property
    def ending(self) -> Ending:
        """See `Executor.ending`."""
        return self._stop or "complete"

    async def results(self, items: Iterable[WorkItem]) -> AsyncGenerator[Sequence[Unit], None]:
        """See `Executor.results`."""
        units = iter(items)
        numbers = range(WORKERS_PER_SLOT * self._concurrency)
        workers = self._workers = [
            asyncio.create_task(self._worker(units, leads=n == 0)) for n in numbers
        ]
        ended = asyncio.ensure_future(asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION))
        ended.add_done_callback(lambda _: self._ready.set())
        with self._interruptible(workers):
            try:
                while not ended.done():
                    await self._ready.wait()
                    if not ended.done():
                        await asyncio.sleep(GATHER_SECONDS)
                    self._ready.clear()
                    if batch := self._taken():
                        yield batch
            finally:
                ended.cancel()
                for task in workers:
                    task.cancel()
                await asyncio.gather(*workers, return_exceptions=True)
        if batch := self._taken():
            yield batch
        for task in workers:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    def _taken(self) -> list[Unit]:
        """The units that became ready since the last call."""
        batch, self._done = self._done, []
        self._room.set()
        return batch

    async def _worker(self, units: Iterator[WorkItem], *, leads: bool) -> None:
        """Process units one by one. With --max-cost only the first worker starts before a cost is
        known.
        """
        if not leads and self._plan.budget.unpriced:
            await self._priced.wait()
        slots = self._plan.slots
        try:
            while self._stop is None:
                if not self._room.is_set():
                    await self._room.wait()
                await slots.take()
                try:
                    unit = next(units, None) if self._stop is None else None
                    if unit is None:
                        return
                    await self._unit(*unit)
                    if not self._plan.budget.unpriced:
                        self._priced.set()
                finally:
                    slots.give()
        finally:
            self._priced.set()

    async def _unit(self, case: Case, repeat: int) -> None:
        messages: tuple[Message, ...] = ()
        offset = self._recorded.answers.get((case.id, repeat))
        try:
            messages = self._plan.messages(case)
            answer = self._writer.answer_at(offset) if offset is not None else None
        except SuiteError as error:
            answer = Answer(case_id=case.id, repeat=repeat, error=ErrorInfo("config", str(error)))
            self._writer.answer(answer)
        if answer is None:
            answer = await self._candidate.answer(case, repeat, messages)
            if answer is None:
                self._end("budget", self._plan.budget.stopped or "")
                return
            self._writer.answer(answer)
        scores: list[Score] = []
        checked = await self._check(case, answer) if answer.error is None else []
        if not self._scoring:
            self._note_outage(answer, scores)
            return
        if answer.error is None or counts_as_failed(self._plan, answer):
            sent = sent_before(messages, answer)
            scores = await score_answer(self._plan, case, answer, sent, checked, self._verdicts)
            if self._plan.budget.stopped is not None and any(
                _kind(score) == "budget" for score in scores
            ):
                self._end("budget", self._plan.budget.stopped)
                return
            self._writer.scores(scores)
            self._note_calls(scores)
        unit = Unit(case, answer, tuple(scores))
        self._done.append(unit)
        self._ready.set()
        if len(self._done) >= MOST_READY:
            self._room.clear()
        self._note_outage(answer, scores)
        if self._stopper is not None and self._stopper.add(unit):
            self._end("decided", "")
            self._cancel_others()

    async def _check(self, case: Case, answer: Answer) -> list[Score]:
        """The scores of the checks. If a judge is still needed, they are recorded at once, so that
        an interruption does not lose them. The final block with the judge's score replaces them
        later.
        """
        if any(bound.waits for bound in self._plan.checks_for(case)):
            checked = await asyncio.to_thread(check_scores, self._plan, case, answer)
        else:
            checked = check_scores(self._plan, case, answer)
        key = (case.id, answer.repeat)
        if self._plan.judges and key not in self._recorded.checked:
            self._writer.scores([*checked, *not_scored_yet(self._plan, answer)])
        return checked

    def _cancel_others(self) -> None:
        """Stop, because the units in flight are not needed."""
        for task in self._workers:
            if task is not asyncio.current_task():
                task.cancel()

    def _note_calls(self, scores: list[Score]) -> None:
        for score in scores:
            if score.source == "judge":
                self.judges.setdefault(score.metric, set()).add(score.judge)
                self._progress.cached += score.cached
                paid = score.attempts > 0 and not score.cached and score.error is None
                self._plan.budget.spend(
                    score.cost_usd, of=f"the judge of {score.metric}" if paid else None
                )

    def _note_outage(self, answer: Answer, scores: list[Score]) -> None:
        """Stop at an outage: every further case would have the same error. A used-up quota ends the
        run at once; missing answers end it if there are many in a row.
        """
        missing = (
            [answer.error]
            if answer.error is not None
            else [s.error for s in scores if s.source == "judge"]
        )
        quota = next(
            (error for error in missing if error is not None and error.kind == "quota"), None
        )
        if quota is not None:
            self._end("quota", quota.message)
            self._plan.budget.stop(quota.message)
            return
        failure = next(
            (error for error in missing if error is not None and error.kind in _OUTAGES), None
        )
        if failure is None:
            self._missing_in_a_row = 0
            return
        self._missing_in_a_row += 1
        if self._missing_in_a_row >= max(OUTAGE, self._concurrency):
            self._end(
                "outage",
                f"{self._missing_in_a_row} cases in a row have no result; the last:"
                f" {failure.message}",
            )

    def _end(self, how: Ending, reason: str) -> None:
        """Start no new case. Calls in flight get some time, but not the minutes that calls waiting
        for an endpoint would need.
        """
        if self._stop is None:
            self._stop, self.reason = how, reason
            seconds = GRACE_SECONDS if how == "quota" else STOP_SECONDS
            asyncio.get_running_loop().call_later(seconds, self._cancel_others)

    @contextlib.contextmanager
    def _interruptible(self, workers: list["asyncio.Task[None]"]) -> Iterator[None]:
        """First SIGINT or SIGTERM: no new case; calls in flight get a moment, then they are
        cancelled. Second: end at once.
        """
        loop = asyncio.get_running_loop()

        def cancel() -> None:
            for task in workers:
                task.cancel()

        def interrupt() -> None:
            if self._stop == "interrupted":
                cancel()
                return
            self._stop, self.reason = "interrupted", "interrupted"
            self._progress.stated = (
                "stopping: calls in flight may finish; press Ctrl-C again to stop at once"
            )
            loop.call_later(GRACE_SECONDS, cancel)

        with on_interrupt(loop, interrupt):
            yield


def _kind(score: Score) -> str | None:
    """Why a score has no value, as a kind of `ErrorInfo`."""
    return None if score.error is None else score.error.kind
