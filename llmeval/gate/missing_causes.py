"""Why results are missing, counted: the commonest cause belongs into the first sentence that people
read.
"""

from collections import Counter

from llmeval.core.records import ErrorInfo
from llmeval.store.directory import Unit

MAX_CAUSES = 1_000
"""Messages that are told apart. An endpoint that words every error differently must not fill the
memory.
"""
MAX_SHOWN = 300
"""Characters of a message that a sentence holds."""


class MissingCauses:
    """Counts the messages of errors, each once for an answer."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, unit: Unit) -> None:
        """Take an answer with its scores."""
        errors = [unit.answer.error] if not unit.scores else [score.error for score in unit.scores]
        for message in {_message(error) for error in errors if error is not None}:
            if message in self._counts or len(self._counts) < MAX_CAUSES:
                self._counts[message] += 1

    @property
    def commonest(self) -> str:
        """The commonest message; empty where nothing failed."""
        return self._counts.most_common(1)[0][0] if self._counts else ""

    @property
    def whole(self) -> str:
        """The commonest cause in full, with its count; empty where nothing failed."""
        return "".join(f"{times:,} x {text}" for text, times in self._counts.most_common(1))

    @property
    def sentence(self) -> str:
        """The commonest cause with its count, in the words of whoever failed; empty where nothing
        did.
        """
        if not self._counts:
            return ""
        message, times = self._counts.most_common(1)[0]
        shown = message if len(message) <= MAX_SHOWN else message[: MAX_SHOWN - 1] + "…"
        return f" {times:,} x {shown}" + ("" if shown.endswith((".", "?", "!", "…")) else ".")


def _message(error: ErrorInfo) -> str:
    """On one line. The kind is said where the message alone may not show whose fault it is."""
    text = " ".join(error.message.split())
    return f"{error.kind}: {text}" if error.kind in ("blocked", "truncated", "candidate") else text
