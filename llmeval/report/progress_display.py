"""Follows a run, and shows its progress in a second thread."""

import sys
import threading
from typing import TextIO

from llmeval.core.results import Summary
from llmeval.report.safe_text import one_line
from llmeval.store.run_observer import RunCounters, RunStart
from llmeval.store.run_store import RunStore
from llmeval.store.units import Unit


class ProgressDisplay:
    """A progress bar on a terminal, a line every ten seconds elsewhere: a `RunObserver` that reads
    the counters in a second thread, so the run never waits for it.

    Args:
        stream: where to show it; standard error by default.
        label: shown before the counts, such as the cell of a grid.
    """

    def __init__(self, stream: TextIO | None = None, label: str = "") -> None:
        self._label = one_line(label, 60)
        self._stream = stream or sys.stderr
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def planned(self, start: RunStart) -> None:
        """Begin."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._show, args=(start.counters,), daemon=True)
        self._thread.start()

    def unit_done(self, unit: Unit) -> None:
        """Nothing: the counters say it."""

    def ended(self) -> None:
        """End, with the last state shown."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def decided(self, run: RunStore, summary: Summary) -> None:
        """Nothing: the command shows the decision."""

    def _show(self, progress: RunCounters) -> None:
        # Loaded in this thread: the first call of the run need not wait for it (20 ms).
        from rich.console import Console

        from llmeval.report.progress_bar import show_progress

        show_progress(Console(file=self._stream), self._label, progress, self._stop)
