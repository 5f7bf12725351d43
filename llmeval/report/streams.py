"""The streams of the command line: without secrets, for every encoding, also if they are closed.

No character of a model, a suite or a file acts on the terminal.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from llmeval.core.redaction import redact
from llmeval.report.safe_text import visible


class StyledStream:
    """A text stream that writes `***` instead of secrets, and what rich writes as it is. The texts
    that rich gets are made visible before (`CommandConsole`).
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text without secrets."""
        return self._stream.write(redact(text))

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts without secrets."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class SafeStream(StyledStream):
    """A text stream that writes `***` instead of secrets, and `\\u001b` instead of control
    characters and others that nobody sees. Characters that its encoding lacks are written as
    `\\u2714`, because an error about them would end the command.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self.rich_proxied_file = StyledStream(stream)
        """Where rich's consoles write instead: the escapes of their colours are their own."""
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")

    def write(self, text: str) -> int:
        """Write a text without secrets and without what acts. In JSON the form of such characters
        is an escape, so a document keeps its meaning.
        """
        self._stream.write(visible(redact(text)))
        return len(text)


@contextmanager
def safe_streams() -> Iterator[None]:
    """Put `SafeStream`s in place of stdout and stderr; a closed one becomes the null device."""
    before = sys.stdout, sys.stderr
    with open(os.devnull, "w", encoding="utf-8") as nothing:
        sys.stdout = SafeStream(before[0] or nothing)
        sys.stderr = SafeStream(before[1] or nothing)
        try:
            yield
        finally:
            sys.stdout, sys.stderr = before
