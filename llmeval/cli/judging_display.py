"""How far `llmeval judge certify` and `probe` are: in place on a terminal, else a line at times."""

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmeval.judges.assurance.progress import JudgingProgress

_LINE_SECONDS = 10.0


class JudgingDisplay:
    """Shows what the command does at the moment. A context manager."""

    def __init__(self) -> None:
        from rich.console import Console

        console = Console(stderr=True)
        self._status = console.status("reading the labels") if console.is_terminal else None
        self._stated = time.monotonic()
        self._what = ""

    def __enter__(self) -> "JudgingDisplay":
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def begin(self, answers: int, what: str) -> None:
        """State how many labelled answers the judge sees. `what`: how often."""
        self._what = f"asking the judge about {answers:,} labelled answers, {what}"
        if self._status is not None:
            self._status.update(self._what)

    def show(self, progress: "JudgingProgress") -> None:
        """Show the verdicts so far and what is left."""
        if self._status is not None:
            self._status.update(f"{self._what}: {progress.sentence()}")
        elif time.monotonic() - self._stated >= _LINE_SECONDS:
            self._stated = time.monotonic()
            print(f"llmeval: {progress.sentence()}", file=sys.stderr)
