"""What a call of the monitor says, in sentences for people."""

from llmeval.core.errors import ExitCode
from llmeval.core.formatting import percent
from llmeval.monitor.outcome import MonitorOutcome
from llmeval.monitor.streams import Stream
from llmeval.stats.sequential.mean_drop import REFERENCE_DAYS


def outcome_lines(outcome: MonitorOutcome) -> list[str]:
    """The outcome in paragraphs, the most important first."""
    lines = [headline(outcome)]
    lines += [f"{outcome.volume_alarm}."] if outcome.volume_alarm else []
    lines += [alarm_sentence(each) for each in outcome.streams.alarms]
    if outcome.code in (ExitCode.PASS, ExitCode.GATE_FAILED, ExitCode.INCONCLUSIVE):
        alarmed = outcome.streams.alarms
        lines += [
            _sentence(each) for each in outcome.streams.streams.values() if each not in alarmed
        ]
    looks = sum(each.kind == "look" for each in outcome.added)
    if looks:
        lines.append(f"New days: {looks}.")
    lines += [f"Note: {each}." for each in outcome.notes]
    return [*lines, f"Records: {outcome.folder}"]


def headline(outcome: MonitorOutcome) -> str:
    """What the call says, in one or two sentences."""
    if outcome.code is ExitCode.PASS:
        return "QUIET: no metric shows a drop."
    if outcome.code is ExitCode.GATE_FAILED:
        fallen = "the pass rate has fallen" if outcome.streams.alarms else "there is less traffic"
        return f"ALARM: {fallen}."
    if outcome.code is ExitCode.INCONCLUSIVE:
        days = min((each.learning_day for each in outcome.streams.learning), default=0)
        return (
            f"LEARNING: day {days} of {REFERENCE_DAYS}. The monitor can't see a drop before it has"
            " learned how days vary."
        )
    if outcome.code is ExitCode.NOTHING_EVALUATED:
        return f"NO TRAFFIC: {outcome.reason}. This says nothing about quality."
    return f"INVALID: {outcome.reason}. This says nothing about quality."


def alarm_sentence(stream: Stream) -> str:
    """What is known about the open alarm of a stream."""
    alarm, window = stream.detector.open_alarm, stream.detector.window
    if alarm is None or window is None:
        return f"{stream.key.name}: there is no alarm."
    return (
        f"{stream.key.name}: {percent(alarm.rate)} since {alarm.since}, and"
        f" {percent(float(window.mean))} in the reference. Alarm on {alarm.day}."
    )


def _sentence(stream: Stream) -> str:
    window, newest = stream.detector.window, stream.newest
    if newest is None:
        return f"{stream.key.name}: no day with enough answers yet."
    rate = percent(newest.passed / newest.answers)
    if window is None:
        return f"{stream.key.name}: {rate} on {newest.day}, day {stream.learning_day} of learning."
    return (
        f"{stream.key.name}: {rate} on {newest.day}; reference {percent(float(window.mean))}, a"
        f" drop is below {percent(float(window.null_mean))}; evidence {newest.evidence:.1f} of"
        f" {stream.detector.options.threshold:.0f}."
    )
