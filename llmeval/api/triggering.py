"""`llmeval trigger evaluate [--fire]`: the decision, what each trigger does about it, messages."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple

from llmeval.api.monitoring import monitor_folder
from llmeval.api.status import complete_runs_of
from llmeval.api.trigger_evidence import collect_evidence, propose_cases
from llmeval.api.trigger_messages import due_messages
from llmeval.core.person_names import person_name
from llmeval.core.results import Summary
from llmeval.governance.audit import AUDIT, append_event, read_chain
from llmeval.monitor.delivery import NotDelivered, deliver, with_tries
from llmeval.monitor.evidence import Evidence, TriggerDecision, decide
from llmeval.monitor.firings import MONTH, FiringLog, FiringRecord, firing_id, instant
from llmeval.monitor.journal import locked
from llmeval.monitor.messages import send_message
from llmeval.suite.loader import Suite
from llmeval.suite.triggers_schema import TriggersFile, TriggerSpec

FiringState = Literal[
    "would fire",
    "fired",
    "already fired",
    "failed",
    "not about this",
    "cooldown",
    "limit reached",
    "over budget",
    "needs approval",
]
_ACTOR = "llmeval trigger"


class TriggerResult(NamedTuple):
    """What a trigger did, or would do. `id`: of the firing; empty if it is not about this.
    `cost_usd`: of one firing; None where it is unknown.
    """

    name: str
    state: FiringState
    why: str
    id: str = ""
    cost_usd: float | None = None


@dataclass(frozen=True)
class TriggerEvaluation:
    """One evaluation. `messages`: subjects that were sent, or would be. `failed`: what was not
    delivered.
    """

    decision: TriggerDecision
    evidence: Evidence
    cost_usd: float | None
    benefit: str
    results: tuple[TriggerResult, ...]
    messages: tuple[str, ...]
    failed: tuple[str, ...]


def evaluate(
    suite: Suite,
    triggers: TriggersFile,
    *,
    reports: Path,
    now: datetime,
    fire: bool = False,
    approved_by: str = "",
) -> TriggerEvaluation:
    """Decide, and carry out the actions if `fire`.

    Args:
        suite: a suite with `monitor`.
        triggers: from `read_triggers`.
        reports: the folder of the runs.
        now: the time, UTC.
        fire: carry out actions and send messages; else nothing is sent or written.
        approved_by: who approves a cost above `require_approval_above_usd`.

    Raises:
        SuiteError: the suite has no monitor. StoreError: records were changed.
    """
    folder = monitor_folder(suite, reports)
    if not fire:
        return _Evaluation(suite, triggers, reports, folder, now, False, approved_by).result()
    with locked(folder):
        return _Evaluation(suite, triggers, reports, folder, now, True, approved_by).result()


def expected_benefit(evidence: Evidence, answers_a_day: float) -> str:
    """How many answers a day would pass again, for people; empty without an alarm."""
    whole = [each for each in evidence.drift if not each.sliced] or list(evidence.drift)
    if not whole:
        return ""
    worst = max(whole, key=lambda each: each.reference - each.now)
    answers = answers_a_day * worst.share
    if answers <= 0:
        return ""
    # the binomial error of one day; the rate since the drop is known at least this well
    error = 1.96 * (worst.now * (1 - worst.now) / answers) ** 0.5
    fall = worst.reference - worst.now
    low, high = max(0.0, fall - error) * answers, (fall + error) * answers
    return f"{low:.0f} to {high:.0f} of {answers:.0f} answers a day ({worst.stream})"


def _cost_of(summary: Summary) -> float | None:
    """US dollars of a run; None where a model with calls has no price."""
    stated = [each.cost_usd for each in summary.calls.values() if each.made]
    prices = [each for each in stated if each is not None]
    return sum(prices) if len(prices) == len(stated) else None


class _Evaluation:
    """One evaluation, with the lock held if it fires."""

    def __init__(
        self,
        suite: Suite,
        triggers: TriggersFile,
        reports: Path,
        folder: Path,
        now: datetime,
        fire: bool,
        approved_by: str,
    ) -> None:
        self.suite, self.triggers, self.folder, self.now = suite, triggers, folder, now
        self.fire = fire
        self.approved_by = person_name(approved_by, "--approved-by") if approved_by.strip() else ""
        self.log = FiringLog(folder)
        self._refuse_removed()
        self.evidence = collect_evidence(suite, reports, now)
        self.decision = decide(self.evidence)
        newest = next(complete_runs_of(suite, reports), None)
        self.last_cost = None if newest is None else _cost_of(newest[2])
        self.failed: list[str] = []

    def result(self) -> TriggerEvaluation:
        from llmeval.monitor.journal import Journal

        records = [each for each in Journal(self.folder).records if each.kind == "look"][-7:]
        benefit = expected_benefit(
            self.evidence, sum(each.lines for each in records) / max(1, len(records))
        )
        results = tuple(self._trigger(each, benefit) for each in self.triggers.triggers)
        messages = tuple(self._messages())
        return TriggerEvaluation(
            self.decision,
            self.evidence,
            self.last_cost,
            benefit,
            results,
            messages,
            tuple(self.failed),
        )

    def _trigger(self, trigger: TriggerSpec, benefit: str) -> TriggerResult:
        cost = trigger.cost_usd if trigger.cost_usd is not None else self.last_cost
        return self._fired(trigger, benefit, cost)._replace(cost_usd=cost)

    def _fired(self, trigger: TriggerSpec, benefit: str, cost: float | None) -> TriggerResult:
        if not set(trigger.when) & set(self.decision.kinds):
            return TriggerResult(trigger.name, "not about this", self.decision.because)
        policy = {**trigger.model_dump(mode="json"), "suite": self.suite.name}
        identifier = firing_id(policy, [self.decision.decision, *self.decision.basis])
        if self.log.is_delivered(identifier):
            return TriggerResult(trigger.name, "already fired", "for the same evidence", identifier)
        begun = self.log.begun(identifier)
        if begun is None and (refusal := self._refusal(trigger, cost)) is not None:
            return TriggerResult(trigger.name, *refusal, identifier)
        if not self.fire:
            return TriggerResult(trigger.name, "would fire", self.decision.because, identifier)
        body = begun.body if begun else self._event(trigger, identifier, cost, benefit)
        sent = self._send(
            identifier,
            trigger.name,
            body,
            cost,
            lambda: deliver(trigger.action, identifier, body.encode(), self.suite.base),
        )
        state: FiringState = "fired" if sent is None else "failed"
        return TriggerResult(trigger.name, state, sent or self.decision.because, identifier)

    def _refusal(self, trigger: TriggerSpec, cost: float | None) -> tuple[FiringState, str] | None:
        """Why a trigger may not fire now; None if it may."""
        month = self.log.recent(trigger.name, self.now, MONTH)
        cooldown = timedelta(days=trigger.cooldown)
        if self.log.recent(trigger.name, self.now, cooldown):
            return "cooldown", f"it fired in the last {trigger.cooldown} days"
        if len(month) >= trigger.max_per_month:
            return "limit reached", f"it fired {len(month)} times in the last 30 days"
        if trigger.budget_usd is not None:
            spent = [each.cost_usd for each in month]
            if cost is None or None in spent:
                return "over budget", "the cost is unknown; state `cost_usd`"
            total = cost + sum(each for each in spent if each is not None)
            if total > trigger.budget_usd:
                return "over budget", f"${total:.2f} of ${trigger.budget_usd:.2f} in 30 days"
        limit = trigger.require_approval_above_usd
        if limit is not None and (cost is None or cost > limit) and not self.approved_by:
            price = "unknown" if cost is None else f"${cost:.2f}"
            return "needs approval", f"the cost is {price}; add --approved-by NAME"
        return None

    def _event(
        self, trigger: TriggerSpec, identifier: str, cost: float | None, benefit: str
    ) -> str:
        """The event as CloudEvents 1.0 in JSON."""
        refresh = self.decision.decision == "refresh_data"
        cases = propose_cases(self.folder, self.evidence) if refresh else None
        return json.dumps(
            {
                "specversion": "1.0",
                "id": identifier,
                "source": f"/llmeval/{self.suite.name}",
                "type": f"llmeval.trigger.{self.decision.decision}",
                "subject": trigger.name,
                "time": instant(self.now),
                "datacontenttype": "application/json",
                "data": {
                    "suite": self.suite.name,
                    "trigger": trigger.name,
                    "decision": self.decision.decision,
                    "because": self.decision.because,
                    "evidence": list(self.decision.kinds),
                    "since": min((each.since for each in self.evidence.drift), default=""),
                    "new_slices": list(self.evidence.new_slices),
                    "proposed_cases": None if cases is None else str(cases.resolve()),
                    "cost_usd": cost,
                    "benefit": benefit,
                    "approved_by": self.approved_by,
                },
            }
        )

    def _send(
        self,
        identifier: str,
        name: str,
        body: str,
        cost: float | None,
        send: Callable[[], None],
    ) -> str | None:
        """Record, send and record again. Returns why it was not delivered; None if it was."""
        stated = FiringRecord(
            id=identifier,
            name=name,
            state="begun",
            at=instant(self.now),
            cost_usd=cost,
            body=body,
            approved_by=self.approved_by,
        )
        if self.log.begun(identifier) is None:
            self.log.append(stated)
        try:
            send()
        except NotDelivered as error:
            self.log.append(_ended(stated, "failed", str(error)))
            self._audit(name, identifier, f"not delivered: {error}")
            self.failed.append(f"{name}: {error}")
            return str(error)
        self.log.append(_ended(stated, "delivered"))
        self._audit(name, identifier, self.decision.because)
        return None

    def _audit(self, name: str, identifier: str, note: str) -> None:
        chain = self.suite.base / AUDIT
        if chain.exists():
            append_event(chain, _ACTOR, "trigger fired", self._object(name), identifier, note)

    def _object(self, name: str) -> str:
        return f"suite {self.suite.name}: trigger {name}"

    def _refuse_removed(self) -> None:
        """Compare the log with the events of the audit chain.

        Raises:
            StoreError: firings were removed.
        """
        chain = self.suite.base / AUDIT
        if not chain.exists():
            return
        noted = [
            event.digest
            for event in read_chain(chain, torn_end_is_allowed=True).events
            if event.actor == _ACTOR and event.object.startswith(self._object(""))
        ]
        self.log.refuse_missing((each for each in noted if each is not None), chain)

    def _messages(self) -> Sequence[str]:
        sent = []
        for message in due_messages(
            self.suite, self.triggers, self.folder, self.decision, self.now
        ):
            if self.log.is_delivered(message.id):
                continue
            sent.append(message.subject)
            if not self.fire:
                continue
            begun = self.log.begun(message.id)
            body = begun.body if begun else json.dumps([message.subject, message.text])
            subject, text = json.loads(body)
            self._send(
                message.id,
                message.name,
                body,
                0.0,
                lambda m=message, s=subject, t=text: with_tries(  # type: ignore[misc]
                    lambda: send_message(m.receiver, m.id, s, t)
                ),
            )
        return sent


def _ended(
    begun: FiringRecord, state: Literal["delivered", "failed"], reason: str = ""
) -> FiringRecord:
    return FiringRecord(
        id=begun.id, name=begun.name, state=state, at=begun.at, reason=reason[:1000]
    )
