"""The console of every command."""

import os
import sys
from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.style import Style

from llmeval.report.safe_text import visible


def _without_link(style: Style | None) -> Style | None:
    """The style without a link that text with markup (`[link=...]`) may have brought."""
    if style is None or style.link is None or style.link.startswith("file:"):
        return style
    return style.update_link(None)


class CommandConsole(Console):
    """A console on which no text acts: whoever wrote it, what can't be seen is written out.

    Its reader may leave (`| head`): the rest goes nowhere, and the exit code stays what the command
    says. rich itself would end the process with 1, which must mean nothing but "the gate failed".
    """

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """The segments of a text, table or panel: made visible, and without links but to files."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(visible(segment.text), _without_link(segment.style))

    def on_broken_pipe(self) -> None:
        """Stop speaking; the interpreter must not complain while it exits, either."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
