"""The streams of the command line: without secrets, for every encoding, also if they are closed."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from llmeval.core.redaction import redact


class SafeStream:
    """A text stream that writes `***` instead of secrets. Characters that its encoding lacks are
    written as `\\u2714`, because an error about them would end the command.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")

    def write(self, text: str) -> int:
        """Write a text without secrets."""
        return self._stream.write(redact(text))

    def writelines(self, lines: Any) -> None:
        """Write texts without secrets."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


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
