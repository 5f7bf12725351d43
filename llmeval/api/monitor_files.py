"""The monitor with the files that others read: metrics.txt and monitor.html next to looks.jsonl."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from llmeval.api.monitoring import monitor_folder, monitor_once
from llmeval.core.errors import LlmevalError
from llmeval.core.files import write_atomically
from llmeval.monitor.metrics_text import (
    METRICS,
    metrics_text,
    monitor_samples,
    undecided_samples,
)
from llmeval.monitor.outcome import MonitorOutcome
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
    except (LlmevalError, KeyboardInterrupt):
        if path.parent.exists():
            text = metrics_text(undecided_samples(suite.name), moment)
            write_atomically(path, text.encode())
        raise
    write_atomically(path, metrics_text(monitor_samples(outcome, moment), moment).encode())
    return outcome
