"""The monitor with the files that others read: metrics.txt and monitor.html next to looks.jsonl."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from llmeval.api.monitoring import monitor_folder, monitor_once
from llmeval.api.status import status_of
from llmeval.core.files import write_atomically
from llmeval.monitor.firings import FiringLog
from llmeval.monitor.metrics_text import (
    METRICS,
    MetricValue,
    metrics_text,
    monitor_samples,
    undecided_samples,
)
from llmeval.monitor.outcome import MonitorOutcome
from llmeval.monitor.page import PAGE, monitor_page
from llmeval.suite.loader import Suite

if TYPE_CHECKING:
    from llmeval.store.run_observer import RunObserver


def look_and_write(
    suite: Suite,
    *,
    reports: Path = Path("reports"),
    now: datetime | None = None,
    concurrency: int = 32,
    observers: "Sequence[RunObserver]" = (),
) -> MonitorOutcome:
    """`monitor_once`, and its files. An error leaves a metrics.txt in which nothing is decided.

    Raises:
        As `monitor_once`.
    """
    moment = now or datetime.now(UTC)
    path = monitor_folder(suite, reports) / METRICS
    try:
        outcome = monitor_once(
            suite, reports=reports, now=moment, concurrency=concurrency, observers=observers
        )
    except BaseException:  # also an internal error must not leave the last PASS standing
        if path.parent.exists():
            text = metrics_text(undecided_samples(suite.name), moment)
            write_atomically(path, text.encode())
        raise
    values = monitor_samples(outcome, moment) + _ages(suite, reports, moment)
    write_atomically(path, metrics_text(values, moment).encode())
    page = monitor_page(outcome, FiringLog(path.parent).records, moment)
    write_atomically(path.parent / PAGE, page.encode())
    return outcome


def _ages(suite: Suite, reports: Path, now: datetime) -> list[MetricValue]:
    """The ages of the parts that `llmeval status` shows; NaN where one is unknown."""
    values = []
    for part in status_of(suite, reports):
        age = part.age(now)
        seconds = math.nan if age is None else age.total_seconds()
        labels = {"suite": suite.name, "part": part.part}
        values.append(MetricValue("llmeval_age_seconds", labels, seconds))
    return values
