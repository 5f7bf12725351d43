"""The monitoring of a suite in an evidence pack: the monitor's own lines, and a summary of them."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from llmeval.core.monitor_record import MonitorRecord
from llmeval.governance.canonical import canonical_bytes, sha256_of
from llmeval.store.record_lines import lines

MONITOR_FILE = "monitor/looks.jsonl"
"""In the folder of a suite's runs."""
_STATES = {"alarm": 2, "learning": 1, "quiet": 0}


def monitor_file(run: Path) -> Path | None:
    """The monitor's lines next to a run; None where the suite has no monitor there."""
    path = run.resolve().parent / MONITOR_FILE
    return path if path.is_file() and not path.is_symlink() else None


def monitoring_summary(path: Path, suite: str) -> str:
    """What the monitor saw, as Markdown. It says where the lines are not what was written.

    Args:
        path: the monitor's lines.
        suite: the suite that they should be about.
    """
    records, problem = _read(path, suite)
    looks = [each for each in records if each.kind == "look"]
    head = f"# Monitoring of {suite}\n\n"
    if problem:
        head += f"**{problem}. Nothing after that line is counted.**\n\n"
    if not records:
        return f"{head}The monitor has no line.\n"
    invalid = [each for each in records if each.kind == "invalid"]
    accepted = [each for each in records if each.kind == "acknowledged"]
    rows = [
        ("Days", f"{records[0].day} to {records[-1].day}"),
        ("Days that count", f"{len(looks):,}"),
        ("Days that do not count", f"{len(invalid):,}{_causes(invalid)}"),
        ("Alarms that a person acknowledged", f"{len(accepted):,}"),
        ("Answers scored", f"{sum(each.sampled for each in looks):,}"),
    ]
    table = "".join(f"| {name} | {text} |\n" for name, text in rows)
    return f"{head}| | |\n|---|---|\n{table}\n{_streams(looks)}"


def _streams(looks: Sequence[MonitorRecord]) -> str:
    """The state of each metric and slice after the last day, and the days of its alarms."""
    alarms: dict[str, list[str]] = {}
    last: dict[str, str] = {}
    for look in looks:
        for stream in look.counts:
            last[stream.name] = stream.state
            if stream.state == "alarm":
                alarms.setdefault(stream.name, []).append(look.day)
    if not last:
        return "No metric was monitored.\n"
    order = sorted(last, key=lambda name: (-_STATES[last[name]], name))
    rows = "".join(
        f"| {_cell(name)} | {last[name]} | {len(alarms.get(name, ())):,}"
        f" | {(alarms.get(name) or ['none'])[0]} |\n"
        for name in order
    )
    head = "| metric | state after the last day | days in alarm | first alarm |"
    return "\n".join([head, "|---|---|---|---|", rows])


def _causes(invalid: Sequence[MonitorRecord]) -> str:
    causes = sorted({each.cause for each in invalid if each.cause})
    return f" ({', '.join(causes)})" if causes else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _read(path: Path, suite: str) -> tuple[list[MonitorRecord], str]:
    """The lines up to the first one that is not what was written, and what is wrong with it."""
    records: list[MonitorRecord] = []
    before: str | None = None
    for number, (_, line) in enumerate(lines(path), start=1):
        try:
            record = msgspec.json.decode(line, type=MonitorRecord)
            content = msgspec.to_builtins(record)
            del content["hash"]
            digest = sha256_of(canonical_bytes(content))
        except (ValueError, RecursionError):
            return records, f"Line {number} is not a line of the monitor"
        if digest != record.hash or record.prev != before:
            return records, f"Line {number} was changed, or a line before it is missing"
        if record.suite != suite:
            return records, f"Line {number} is about another suite"
        records.append(record)
        before = record.hash
    return records, ""
