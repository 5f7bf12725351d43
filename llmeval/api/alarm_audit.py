"""The events of a monitor in the audit chain next to its suite."""

from collections.abc import Sequence

from llmeval.core.errors import StoreError
from llmeval.core.monitor_record import MonitorRecord
from llmeval.governance.audit import AUDIT, append_event, read_chain
from llmeval.monitor.outcome import alarm_changes
from llmeval.suite.loader import Suite

ACTOR = "llmeval monitor"


def note_alarms(suite: Suite, records: Sequence[MonitorRecord]) -> None:
    """Add an event for each alarm that began or ended, where the suite has an audit chain.

    Events that a killed process did not write are added by the next call.

    Raises:
        StoreError: the chain names a look that the monitor does not have: lines were removed.
    """
    chain = suite.base / AUDIT
    if not chain.exists():
        return
    target = f"monitor {suite.name}"
    noted = [
        event
        for event in read_chain(chain, torn_end_is_allowed=True).events
        if event.actor == ACTOR and event.object.startswith(f"{target}: ")
    ]
    hashes = {record.hash for record in records}
    for event in noted:
        if event.digest not in hashes:
            raise StoreError(
                f"{chain}: event {event.seq} ({event.action}) names a look that the monitor does"
                " not have: its lines were removed or rewritten. Restore them from a backup"
            )
    noted_keys = {(event.action, event.object, event.digest) for event in noted}
    for change in alarm_changes(tuple(records)):
        action = "alarm raised" if change.opened else "alarm ended"
        subject = f"{target}: {change.stream}"
        if (action, subject, change.record.hash) not in noted_keys:
            note = f"day {change.record.day}"
            if change.opened:
                append_event(chain, ACTOR, "alarm raised", subject, change.record.hash, note)
            else:
                append_event(chain, ACTOR, "alarm ended", subject, change.record.hash, note)
