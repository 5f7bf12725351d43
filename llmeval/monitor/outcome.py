"""What one call of the monitor says: the streams, the days that it took, and the exit code."""

from dataclasses import dataclass
from typing import NamedTuple

from llmeval.core.errors import ExitCode
from llmeval.core.monitor_record import MonitorRecord
from llmeval.monitor.streams import Stream, Streams
from llmeval.stats.sequential.mean_drop import REFERENCE_DAYS

SCHEMA = 1


class AlarmChange(NamedTuple):
    """An alarm that began or ended in a record."""

    record: MonitorRecord
    stream: str
    opened: bool


def alarm_changes(records: tuple[MonitorRecord, ...]) -> list[AlarmChange]:
    """Where alarms began and ended, in order. An acknowledgement ends open alarms without an entry:
    it is another separate record.
    """
    changes, state = [], dict[str, str]()
    for record in records:
        if record.kind == "acknowledged":
            state = {}
        if record.kind != "look":
            continue
        for count in record.counts:
            before = state.get(count.name)
            if (count.state == "alarm") != (before == "alarm"):
                changes.append(AlarmChange(record, count.name, count.state == "alarm"))
            state[count.name] = count.state
    return changes


@dataclass(frozen=True, slots=True)
class MonitorOutcome:
    """After one call. `added`: the lines that this call wrote. `records`: all lines. `notes`: what
    the user should know. `reason`: why there is no valid look; empty where there is one.
    `volume_alarm`: a sentence where the traffic itself has fallen; else empty.
    `code`: 0 quiet, 1 alarm, 3 invalid, 4 learning, 5 no traffic.
    """

    suite: str
    folder: str
    streams: Streams
    records: tuple[MonitorRecord, ...]
    added: tuple[MonitorRecord, ...]
    code: ExitCode
    reason: str = ""
    notes: tuple[str, ...] = ()
    volume_alarm: str = ""

    @property
    def state(self) -> str:
        """The exit code in a word."""
        return _WORDS[self.code]

    @property
    def newest(self) -> MonitorRecord | None:
        """The newest valid look; None without one."""
        return next((each for each in reversed(self.records) if each.kind == "look"), None)

    def document(self) -> dict[str, object]:
        """The outcome for machines. Rates are in [0, 1]."""
        newest = self.newest
        return {
            "schema": SCHEMA,
            "suite": self.suite,
            "state": self.state,
            "exit_code": int(self.code),
            "reason": self.reason,
            "day": None if newest is None else newest.day,
            "added": [{"day": each.day, "kind": each.kind} for each in self.added],
            "learning_days": REFERENCE_DAYS,
            "threshold": self.streams.threshold,
            "streams": [_stream(each) for each in self.streams.streams.values()],
            "volume_alarm": self.volume_alarm,
            "folder": self.folder,
            "notes": list(self.notes),
        }


_WORDS = {
    ExitCode.PASS: "quiet",
    ExitCode.GATE_FAILED: "alarm",
    ExitCode.INVALID: "invalid",
    ExitCode.INCONCLUSIVE: "learning",
    ExitCode.NOTHING_EVALUATED: "no traffic",
}


def _stream(stream: Stream) -> dict[str, object]:
    detector, newest = stream.detector, stream.newest
    window, alarm = detector.window, detector.open_alarm
    return {
        "metric": stream.key.metric,
        "slice": stream.key.slice,
        "state": stream.state,
        "learning_day": stream.learning_day,
        "day": None if newest is None else newest.day,
        "answers": None if newest is None else newest.answers,
        "rate": None if newest is None else newest.passed / newest.answers,
        "evidence": None if newest is None else newest.evidence,
        "reference": None
        if window is None
        else {
            "mean": float(window.mean),
            "null_mean": float(window.null_mean),
            "design_effect": float(window.design_effect),
            "days": detector.window_days,
        },
        "alarm": None
        if alarm is None
        else {"day": alarm.day, "since": alarm.since, "rate": alarm.rate},
    }
