"""Data that is null in every answer: an optional path with a typo never fails by itself.

A check that forbids something passes on null, so such a path must not go unnoticed.
"""

from collections.abc import Mapping


class NullData:
    """Counts the answers that have a value for each name under `data`."""

    def __init__(self) -> None:
        self._answers: dict[str, int] = {}
        self._values: set[str] = set()

    def add(self, data: Mapping[str, object]) -> None:
        """Take the data of one answer."""
        for name, value in data.items():
            self._answers[name] = self._answers.get(name, 0) + 1
            if not _is_null(value):
                self._values.add(name)

    @property
    def sentence(self) -> str:
        """Which names are null everywhere, and what to do; empty where none is."""
        names = [name for name in self._answers if name not in self._values]
        if not names:
            return ""
        listed = ", ".join(f"data.{name}" for name in names)
        answers = max(self._answers[name] for name in names)
        every = "the only answer" if answers == 1 else f"all {answers:,} answers"
        verb = "is" if len(names) == 1 else "are"
        return (
            f"{listed} {verb} null in {every}, so checks of it tested nothing: compare the path"
            " under `data` of the model with a reply of the application."
        )


def _is_null(value: object) -> bool:
    """Null, or what a path with `[*]` selects where each value is missing."""
    return value is None or (
        isinstance(value, list) and bool(value) and all(item is None for item in value)
    )
