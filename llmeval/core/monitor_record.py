"""The record of a line of `looks.jsonl`: what the monitor saw on one day of traffic."""

from typing import Annotated, Literal

import msgspec

from llmeval.core.approvals import Day, Instant
from llmeval.core.gate_record import Count
from llmeval.core.seal import Sha256

MONITOR_SCHEMA = 1
RecordKind = Literal["look", "invalid", "acknowledged"]
InvalidCause = Literal["", "judge", "environment", "missing", "run"]
StreamState = Literal["learning", "quiet", "alarm"]


class StreamCount(msgspec.Struct, frozen=True, kw_only=True):
    """The answers of one day to one metric, over all traffic or in one slice."""

    metric: str
    """Name of the metric."""
    slice: str | None = None
    """`tag=value`; null for all traffic."""
    answers: Count
    """Scored answers."""
    passed: Count
    """The passed ones of them."""
    missing: Count = 0
    """Answers without a score. They never count as passed, and `answers` leaves them out."""
    state: StreamState = "learning"
    """What the detector says after this day."""
    evidence: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """Evidence for a drop. An alarm begins at `threshold` of the line."""

    @property
    def name(self) -> str:
        """`metric` or `metric @ tag=value`."""
        return self.metric if self.slice is None else f"{self.metric} @ {self.slice}"


class MonitorRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One line: a look at a day, a look that is not valid, or an acknowledgement."""

    schema: int = MONITOR_SCHEMA
    """The format of the line."""
    seq: Annotated[int, msgspec.Meta(ge=1)]
    """Its number, from 1."""
    prev: Sha256 | None
    """The hash of the line before it; null in the first line."""
    kind: RecordKind
    """`look`: the day counts. `invalid`: the day does not count, and `reason` says why.
    `acknowledged`: a person ended the reference window, and the monitor learns a new one.
    """
    day: Day
    """The day of the traffic, UTC; of an acknowledgement, the day on which it was written."""
    at: Instant
    """When the line was written, ISO 8601, UTC."""
    suite: str
    """Name of the suite."""
    scoring: str = ""
    """sha256 of the checks and judges that score the metrics."""
    settings: str = ""
    """sha256 of the metrics, slices, tolerance, source and fields of the monitor."""
    threshold: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """Evidence at which an alarm begins."""
    lines: Count = 0
    """Answers in the traffic of the day."""
    sampled: Count = 0
    """Answers that were scored or should have been."""
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    """Probability with which each answer was sampled."""
    set_aside: dict[str, Count] = {}
    """Lines of the whole traffic that were not used, by reason."""
    counts: tuple[StreamCount, ...] = ()
    """By metric and slice."""
    run: str = ""
    """The run directory of the day, relative to the folder of the monitor."""
    cause: InvalidCause = ""
    """What made a look invalid: a judge that has changed, an environment that differs, missing
    scores, or the run itself. Empty in other lines.
    """
    reason: str = ""
    """Why the look is not valid, or why the alarm was acknowledged."""
    by: str = ""
    """Who acknowledged."""
    hash: Sha256
    """sha256 over the canonical JSON (RFC 8785) of everything else in the line."""
