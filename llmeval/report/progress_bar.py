"""What a person at a terminal sees while a run goes on."""

import threading
from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from llmeval.report.safe_text import one_line
from llmeval.store.run_observer import RunCounters

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


def show_progress(
    console: Console, label: str, progress: RunCounters, stop: threading.Event
) -> None:
    """Show a progress bar on a terminal, and a line every ten seconds elsewhere, until `stop`.

    Args:
        console: where to show it.
        label: shown before the counts; may be empty.
        progress: the counters of the run.
        stop: set when the run has ended. The last state is shown then.
    """
    if not console.is_terminal:
        while not stop.wait(_LINE_SECONDS):
            line = f"{label}: {_line(progress)}" if label else _line(progress)
            console.print(line, highlight=False, markup=False, soft_wrap=True)
        return
    labels = [TextColumn("{task.description}", markup=False)] if label else []
    bar = _Bar(
        *labels,
        TextColumn("{task.percentage:>3.0f}%"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[text]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        auto_refresh=False,
        transient=True,
    )
    with bar:
        task = bar.add_task(label, total=progress.total, completed=progress.resumed, text="")
        while True:
            ended = stop.wait(_REFRESH_SECONDS)
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
