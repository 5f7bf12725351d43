"""`llmeval monitor SUITE --once`: each day of traffic is scored by the suite and looked at once.

The state is what `looks.jsonl` holds. Each step can be repeated: the sample of a day is moved into
place as a whole, its run continues in the same directory, and the line is written last. So a
process that is killed at any point leaves a state from which the next call continues.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from llmeval.api.alarm_audit import note_alarms
from llmeval.api.day_validity import (
    InvalidDayError,
    invalid_judge,
    invalid_run,
    invalid_scores,
    write_sample,
)
from llmeval.api.traffic_suite import monitor_of, stream_keys, traffic_suite
from llmeval.core.errors import ExitCode, StoreError, UsageError
from llmeval.core.monitor_record import MonitorRecord
from llmeval.core.person_names import person_name
from llmeval.core.records import digest, utc_now
from llmeval.core.results import Decision
from llmeval.monitor.day_scores import count_scores
from llmeval.monitor.journal import Journal, locked, reference_records
from llmeval.monitor.outcome import MonitorOutcome
from llmeval.monitor.streams import Streams
from llmeval.monitor.traffic import (
    DayTraffic,
    SamplingTerms,
    TrafficSample,
    sample_traffic,
)
from llmeval.monitor.volume import volume_alarm
from llmeval.suite.loader import Suite, load_suite
from llmeval.suite.monitor_schema import MonitorSpec

if TYPE_CHECKING:
    from llmeval.api.view import Run
    from llmeval.store.run_observer import RunObserver

FOLDER = "monitor"
MOST_ATTEMPTS = 3
"""A day whose look was invalid this often is left out."""
_BLANK = "0" * 64


def monitor_folder(suite: Suite, reports: Path) -> Path:
    """The folder of a suite's monitor."""
    return reports / suite.name / FOLDER


def monitor_once(
    suite: Suite,
    *,
    reports: Path = Path("reports"),
    now: datetime | None = None,
    concurrency: int = 32,
    observers: "Sequence[RunObserver]" = (),
) -> MonitorOutcome:
    """Look at each day of traffic that is over and has not been looked at.

    Args:
        suite: a suite with `monitor`.
        reports: the folder of the runs; the monitor is in `<suite>/monitor` of it.
        now: the time, UTC; by default that of the machine.
        concurrency: answers that are scored at the same time.
        observers: follow the run of each day.

    Raises:
        UsageError, SuiteError: nothing was called; also where the checks, the judges or the
            settings differ from those of the reference.
        StoreError: the files of the monitor were changed, or another process runs it.
    """
    spec = monitor_of(suite)
    folder = monitor_folder(suite, reports)
    with locked(folder):
        work = _Monitor(
            suite, spec, folder, now or datetime.now(UTC), concurrency, tuple(observers)
        )
        return work.look()


def acknowledge(suite: Suite, reports: Path, by: str, reason: str) -> MonitorRecord:
    """End the reference: from the next day on, the monitor learns a new one.

    Args:
        suite: a suite with `monitor`.
        reports: as for `monitor_once`.
        by, reason: who does it, and why; both are recorded.

    Raises:
        UsageError: `by` or `reason` is empty or confusable, or there is nothing to acknowledge.
        StoreError: as `monitor_once`.
    """
    if not by.strip() or not reason.strip():
        raise UsageError("--acknowledge needs --by NAME and --reason TEXT; both are recorded")
    person = person_name(by, "--by")
    monitor_of(suite)
    folder = monitor_folder(suite, reports)
    with locked(folder):
        journal = Journal(folder)
        note_alarms(suite, journal.records)
        if not any(each.kind == "look" for each in reference_records(journal.records)):
            raise UsageError(f"{journal.path}: there is no look since the last acknowledgement")
        return journal.append(
            MonitorRecord(
                seq=1,
                prev=None,
                kind="acknowledged",
                day=utc_now()[:10],
                at=_now(),
                suite=suite.name,
                reason=reason.strip(),
                by=person,
                hash=_BLANK,
            )
        )


def settings_digest(spec: MonitorSpec) -> str:
    """What two looks must share, next to the checks and judges."""
    stated = spec.model_dump(exclude={"max_age", "canary", "rate", "volume"})
    return digest(stated).removeprefix("sha256:")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class _UnfinishedError(Exception):
    """The run of a day is not complete; the next call continues it."""

    def __init__(self, reason: str, code: ExitCode) -> None:
        super().__init__(reason)
        self.code = code


@dataclass
class _Monitor:
    """One call, with the lock held."""

    suite: Suite
    spec: MonitorSpec
    folder: Path
    now: datetime
    concurrency: int
    observers: "tuple[RunObserver, ...]"
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.journal = Journal(self.folder)
        note_alarms(self.suite, self.journal.records)
        self.streams = Streams(stream_keys(self.spec), self.spec.tolerance)
        self.streams.replay(self.journal.records)
        self.before = len(self.journal.records)
        self.settings = settings_digest(self.spec)
        self.after = max(
            (each.day for each in self.journal.records if each.kind == "look"), default=""
        )

    def look(self) -> MonitorOutcome:
        """Take each new day."""
        today = self.now.date().isoformat()
        if self.after >= today:
            raise StoreError(
                f"the clock of this machine says {today}, but {self.after} was looked at already."
                " Correct the clock"
            )
        self._refuse_changed("settings", self.settings)
        for left in self.folder.glob("drawing-*"):  # of a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix="drawing-", dir=self.folder) as drawn:
            sample = self._sample(Path(drawn))
            days = [
                day
                for day in sorted(sample.days)
                if sample.days[day].sampled and self._attempts(day) < MOST_ATTEMPTS
            ]
            self._tell_left_out(sample)
            try:
                self._try_canary(days)
                for day in days:
                    self._look_at(day, sample, Path(drawn))
            except _UnfinishedError as error:
                return self._outcome(error.code, str(error))
            except InvalidDayError as error:
                return self._outcome(ExitCode.INVALID, str(error))
        return self._done(bool(days), sample)

    def _sample(self, drawn: Path) -> TrafficSample:
        tags = tuple(each.partition("=")[0].strip() for each in self.spec.slices)
        terms = SamplingTerms(
            rate=self.spec.rate,
            now=self.now,
            after=self.after,
            mapped=self.spec.map,
            tags=tags,
            redact=self.spec.redact,
        )
        return sample_traffic(self.suite.base / self.spec.path, terms, drawn)

    def _tell_left_out(self, sample: TrafficSample) -> None:
        for reason, count in sorted(sample.set_aside.items()):
            self.notes.append(f"{count:,} lines were set aside: {reason}")
        seen = {each.day: each.lines for each in self.journal.records if each.kind == "look"}
        late = sum(
            max(0, count - seen[day]) for day, count in sample.earlier.items() if day in seen
        )
        if late:
            self.notes.append(f"{late:,} answers came after the look at their day; none counts")
        for day in sorted(sample.days):
            if self._attempts(day) >= MOST_ATTEMPTS:
                self.notes.append(f"{day} is left out: its look was invalid {MOST_ATTEMPTS} times")

    def _attempts(self, day: str) -> int:
        records = self.journal.records
        return sum(each.kind == "invalid" and each.day == day for each in records)

    def _try_canary(self, days: Sequence[str]) -> None:
        """Run the canary suite once, before the first day.

        Raises:
            InvalidDayError: it is not PASS.
        """
        if self.spec.canary is None or not days:
            return
        from llmeval.api.running import run
        from llmeval.runner.options import Options

        canary = load_suite(self.suite.base / self.spec.canary, None)
        options = Options(reports=self.folder / "canary", use_cache=False)
        decision = run(canary, options=options, observers=self.observers).decision
        if decision is not Decision.PASS:
            word = "no decision" if decision is None else decision.value
            self._record_invalid(
                days[0],
                DayTraffic(),
                InvalidDayError(
                    "environment", f"the environment suite {self.spec.canary} is {word}"
                ),
            )

    def _look_at(self, day: str, sample: TrafficSample, drawn: Path) -> None:
        traffic = sample.days[day]
        name = f"{day}-{self.settings[:8]}-{self._attempts(day) + 1}"
        source = self.folder / "traffic" / name
        if not source.exists():
            write_sample(drawn / f"{day}.jsonl", source, drawn / f"rows-{day}")
        scored = traffic_suite(
            self.suite, self.spec, source / "cases.jsonl", source / "answers.jsonl"
        )
        run, scoring = self._run(scored, name)
        try:
            counts = count_scores(run.directory, list(self.streams.streams))
            allowed = self.suite.spec.gate.max_unscored
            problem = invalid_judge(run) or invalid_scores(counts, allowed) or invalid_run(run)
            if problem is not None:
                raise problem
        except InvalidDayError as error:
            self._record_invalid(day, traffic, error, run)
        self.journal.append(
            structs.replace(
                self._record(day, traffic, run),
                scoring=scoring,
                set_aside=dict(sample.set_aside),
                counts=self.streams.add(day, counts),
            )
        )
        note_alarms(self.suite, self.journal.records)

    def _run(self, scored: Suite, name: str) -> "tuple[Run, str]":
        """The complete run of a day, and the digest of what scored it.

        Raises:
            UsageError: it is not what scored the reference.
            _UnfinishedError: the run did not come to its end.
        """
        from llmeval.api.running import carry_out
        from llmeval.runner.manifest import scoring_of
        from llmeval.runner.options import Options
        from llmeval.runner.plan import plan

        reports = self.folder / "runs"
        planned = plan(scored, Options(reports=reports, concurrency=self.concurrency))
        inputs = scoring_of(planned)
        scoring = digest([inputs.digests.checks, inputs.digests.judges]).removeprefix("sha256:")
        self._refuse_changed("scoring", scoring)
        out = reports / self.suite.name / f"{name}-{scoring[:8]}"
        options = Options(out=out, reports=reports, concurrency=self.concurrency)
        if (earlier := _complete(out)) is not None:  # killed before the line was written
            asyncio.run(planned.close())
            return earlier, scoring
        run = carry_out(planned, options, self.observers)
        if run.interrupted:
            raise _UnfinishedError("interrupted", ExitCode.INTERRUPTED)
        if run.manifest.status != "complete":
            raise _UnfinishedError(
                f"the run of {name[:10]} is not complete: {run.reason}", ExitCode.INVALID
            )
        return run, scoring

    def _refuse_changed(self, what: str, now: str) -> None:
        for each in reference_records(self.journal.records):
            before = each.scoring if what == "scoring" else each.settings
            if each.kind == "look" and before != now:
                names = "checks or judges" if what == "scoring" else "settings of `monitor`"
                raise UsageError(
                    f"the {names} differ from those of the reference ({each.day}), so the days"
                    " can't be compared. Restore them, or begin a new reference: `llmeval monitor"
                    f" {self.suite.path} --acknowledge --by NAME --reason TEXT`"
                )

    def _record(self, day: str, traffic: DayTraffic, run: "Run | None") -> MonitorRecord:
        return MonitorRecord(
            seq=1,
            prev=None,
            kind="look",
            day=day,
            at=self.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            suite=self.suite.name,
            settings=self.settings,
            threshold=self.streams.threshold,
            lines=traffic.lines,
            sampled=traffic.sampled,
            probability=self.spec.rate,
            run="" if run is None else run.path.relative_to(self.folder).as_posix(),
            hash=_BLANK,
        )

    def _record_invalid(
        self, day: str, traffic: DayTraffic, error: InvalidDayError, run: "Run | None" = None
    ) -> None:
        record = self._record(day, traffic, run)
        self.journal.append(
            structs.replace(record, kind="invalid", cause=error.cause, reason=str(error))
        )
        raise error

    def _done(self, looked: bool, sample: TrafficSample) -> MonitorOutcome:
        newest = self.journal.records[-1] if self.journal.records else None
        again = newest is not None and newest.at[:10] == self.now.date().isoformat()
        if again and newest is not None and newest.kind == "invalid":
            return self._outcome(ExitCode.INVALID, newest.reason)
        if self.streams.alarms or self._volume_alarm():
            return self._outcome(ExitCode.GATE_FAILED)
        if not looked and not (again and newest is not None and newest.kind == "look"):
            lines = sum(each.lines for each in sample.days.values())
            why = (
                f"none of {lines:,} answers was sampled"
                if lines
                else "there is no answer of a day that is over and has not been looked at"
            )
            return self._outcome(ExitCode.NOTHING_EVALUATED, why)
        if self.streams.learning:
            return self._outcome(ExitCode.INCONCLUSIVE)
        return self._outcome(ExitCode.PASS)

    def _outcome(self, code: ExitCode, reason: str = "") -> MonitorOutcome:
        return MonitorOutcome(
            suite=self.suite.name,
            folder=str(self.folder),
            streams=self.streams,
            records=self.journal.records,
            added=self.journal.records[self.before :],
            code=code,
            reason=reason,
            notes=tuple(self.notes),
            volume_alarm=self._volume_alarm(),
        )

    def _volume_alarm(self) -> str:
        """What the rule `volume` says of the newest day; empty where traffic has not fallen."""
        records = reference_records(self.journal.records)
        return "" if self.spec.volume is None else volume_alarm(records, self.spec.volume)


def _complete(path: Path) -> "Run | None":
    """The complete run of a directory; None where there is none.

    Raises:
        StoreError: its records were changed.
    """
    from llmeval.api.view import load_run
    from llmeval.store.directory import RunDir

    directory = RunDir(path)
    if not directory.exists() or directory.manifest().status != "complete":
        return None
    directory.verify()
    return load_run(path)
