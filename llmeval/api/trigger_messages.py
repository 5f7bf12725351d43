"""Which messages people should get: once when an alarm begins or ends, and a digest each week."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from llmeval.core.formatting import percent
from llmeval.core.monitor_record import MonitorRecord
from llmeval.monitor.evidence import TriggerDecision
from llmeval.monitor.firings import firing_id
from llmeval.monitor.journal import Journal
from llmeval.monitor.messages import AlarmMessage
from llmeval.monitor.outcome import alarm_changes
from llmeval.suite.loader import Suite
from llmeval.suite.triggers_schema import NotifySpec, TriggersFile

_NEWS = timedelta(days=7)
"""An older alarm is in the digest only, so that a new receiver does not get the whole past."""


class DueMessage(NamedTuple):
    """A message for one receiver. `id`: the same for the same event and receiver."""

    id: str
    name: str
    receiver: NotifySpec
    subject: str
    text: str


def due_messages(
    suite: Suite,
    triggers: TriggersFile,
    folder: Path,
    decision: TriggerDecision,
    now: datetime,
) -> Iterator[DueMessage]:
    """All messages of the last days, whether they were sent or not."""
    records = Journal(folder).records
    events = [*_alarms(suite, triggers, records, decision, now)]
    weekly = _digest(suite, triggers, records, decision)
    year, week, _ = now.isocalendar()
    for number, receiver in enumerate(triggers.notify):
        kind = "slack" if receiver.slack is not None else "mail"
        policy = {**receiver.model_dump(mode="json"), "suite": suite.name, "number": number}
        due = [*events, (f"{year}-W{week:02}", weekly)] if receiver.weekly and records else events
        for basis, message in due:
            identifier = firing_id(policy, [basis])
            yield DueMessage(
                identifier, f"message to {kind}", receiver, message.subject, message.text
            )


def _alarms(
    suite: Suite,
    triggers: TriggersFile,
    records: tuple[MonitorRecord, ...],
    decision: TriggerDecision,
    now: datetime,
) -> Iterator[tuple[str, AlarmMessage]]:
    """One message for each record in which alarms began, and one for each in which they ended."""
    groups: dict[tuple[str, bool], list[tuple[str, MonitorRecord]]] = {}
    for change in alarm_changes(records):
        if now - datetime.fromisoformat(change.record.at) < _NEWS:
            key = (change.record.hash, change.opened)
            groups.setdefault(key, []).append((change.stream, change.record))
    for (basis, opened), streams in groups.items():
        names = ", ".join(name for name, _ in streams)
        record = streams[0][1]
        if opened:
            rates = "; ".join(_rate(name, record) for name, _ in streams)
            yield (
                f"opened {basis}",
                AlarmMessage(
                    f"Alarm: {names} fell ({suite.name})",
                    f"{rates}. {decision.because}",
                    "about one false alarm in two years, if days go on varying as in the reference",
                    "none yet; `llmeval trigger evaluate` shows cost and benefit",
                    triggers.owner,
                    triggers.link,
                ),
            )
        else:
            yield (
                f"ended {basis}",
                AlarmMessage(
                    f"Recovered: {names} ({suite.name})",
                    f"The alarm of {names} ended on {record.day}.",
                    "good days outweigh the drop 20 to 1",
                    "none",
                    triggers.owner,
                    triggers.link,
                ),
            )


def _rate(name: str, record: MonitorRecord) -> str:
    count = next(each for each in record.counts if each.name == name)
    rate = percent(count.passed / count.answers) if count.answers else "no answers"
    return f"{name}: {rate} on {record.day}"


def _digest(
    suite: Suite,
    triggers: TriggersFile,
    records: tuple[MonitorRecord, ...],
    decision: TriggerDecision,
) -> AlarmMessage:
    days = records[-7:]
    invalid = sum(each.kind == "invalid" for each in days)
    newest = next((each for each in reversed(days) if each.kind == "look"), None)
    states = (
        "no valid look"
        if newest is None
        else "; ".join(f"{_rate(each.name, newest)} ({each.state})" for each in newest.counts)
    )
    problem = f" {invalid} of the last {len(days)} looks were invalid." if invalid else ""
    return AlarmMessage(
        f"This week: {suite.name}",
        f"{states}.{problem} {decision.because}",
        "the states are those of the detector; a state of learning says nothing about quality",
        "see the runs",
        triggers.owner,
        triggers.link,
    )
