"""What a person at a terminal sees while a run goes on.

A run loads this module before its first call, so it imports nothing that makes a report.
"""

import sys
import threading
from collections.abc import Iterable
from typing import TextIO

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from llmeval.core.results import Summary
from llmeval.report.safe_text import one_line
from llmeval.store.run_observer import RunCounters, RunStart
from llmeval.store.run_store import RunStore
from llmeval.store.units import Unit

_REFRESH_SECONDS = 0.25
_LINE_SECONDS = 10.0


class _Bar(Progress):
    """A progress bar with a note below it, where a terminal of 80 columns has room for it."""

    note = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        """The bar, then the note."""
        yield from super().get_renderables()
        if self.note:
            yield Text(self.note, style="yellow")


class ProgressDisplay:
    """A progress bar on a terminal, a line every ten seconds elsewhere: a `RunObserver` that reads
    the counters in a second thread, so the run never waits for it.

    Args:
        stream: where to show it; standard error by default.
        label: shown before the counts, such as the cell of a grid.
    """

    def __init__(self, stream: TextIO | None = None, label: str = "") -> None:
        self._label = one_line(label, 60)
        self._console = Console(file=stream or sys.stderr)
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
        if not self._console.is_terminal:
            while not self._stop.wait(_LINE_SECONDS):
                line = f"{self._label}: {_line(progress)}" if self._label else _line(progress)
                self._console.print(line, highlight=False, markup=False, soft_wrap=True)
            return
        labels = [TextColumn("{task.description}", markup=False)] if self._label else []
        bar = _Bar(
            *labels,
            TextColumn("{task.percentage:>3.0f}%"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[text]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            auto_refresh=False,
            transient=True,
        )
        with bar:
            task = bar.add_task(
                self._label, total=progress.total, completed=progress.resumed, text=""
            )
            while True:
                ended = self._stop.wait(_REFRESH_SECONDS)
                bar.note = one_line(progress.note, 300)
                bar.update(task, completed=progress.done, text=_counts(progress))
                bar.refresh()
                if ended:
                    return


def _counts(progress: RunCounters) -> str:
    parts = [f"{progress.done:,}/{progress.total:,}"]
    parts += [f"[green]✔ {progress.passed:,}[/]", f"[red]✘ {progress.failed:,}[/]"]
    if progress.troubled:
        parts.append(f"[magenta]! {progress.troubled:,}[/]")
    parts.append(f"{progress.rate:.1f}/s")
    return "  ".join(parts)


def _line(progress: RunCounters) -> str:
    text = (
        f"{progress.done:,}/{progress.total:,} cases, {progress.passed:,} passed,"
        f" {progress.failed:,} failed, {progress.troubled:,} missing, {progress.calls:,} calls"
    )
    if progress.rate > 0:
        left = (progress.total - progress.done) / progress.rate
        text += f", {progress.rate:.1f}/s, about {left:.0f} s left"
    return f"{text} - {one_line(progress.note, 300)}" if progress.note else text
