"""What an import could not take over, and what people should know: collected, so that all of it is
told at once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from llmeval.core.errors import SuiteError
from llmeval.suite.yaml_file import Document, Path, format_path


@dataclass(frozen=True)
class SourcePlace:
    """A value in a file: what it is, and where it stands."""

    document: Document
    path: Path = ()

    def at(self, *parts: str | int) -> "SourcePlace":
        """The place below this one."""
        return SourcePlace(self.document, (*self.path, *parts))

    @property
    def value(self) -> Any:
        """What stands there; None for nothing."""
        found = self.document.data
        for part in self.path:
            if isinstance(found, dict):
                found = found.get(part)
            elif isinstance(found, list) and isinstance(part, int) and part < len(found):
                found = found[part]
            else:
                return None
        return found

    def items(self) -> list["SourcePlace"]:
        """The items of a list; the value itself, as one, for anything else but None."""
        value = self.value
        if isinstance(value, list):
            return [self.at(index) for index in range(len(value))]
        return [] if value is None else [self]

    def says(self, message: str) -> str:
        """`file:line: key: message`."""
        line, key = self.document.line(self.path), format_path(self.path)
        where = self.document.file if line is None else f"{self.document.file}:{line}"
        return f"{where}: {key}: {message}" if key else f"{where}: {message}"


SHAPE_ERRORS = (
    KeyError, IndexError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError
)  # fmt: skip
"""What a reader of foreign data meets where a value is missing or has another type."""


def shape_of(error: Exception) -> str:
    """One of `SHAPE_ERRORS` in words."""
    if isinstance(error, KeyError | IndexError):
        return f"no {error}"
    return str(error)[:200]


@contextmanager
def foreign_file(path: object) -> Iterator[None]:
    """Turn `SHAPE_ERRORS` in the block into a `SuiteError` that names the file."""
    try:
        yield
    except SHAPE_ERRORS as error:
        raise SuiteError(
            f"{path}: is not as its tool writes it ({shape_of(error)}); export it again, or remove"
            " that part"
        ) from error


class UnmappedError(Exception):
    """Something has no counterpart here. `place`: where it stands; None leaves that to whoever
    catches it.
    """

    def __init__(self, message: str, place: SourcePlace | None = None) -> None:
        super().__init__(message)
        self.place = place


@dataclass
class Ledger:
    """`left_out`: what has no counterpart. `notes`: what means something else here, or nothing."""

    left_out: list[str] = field(default_factory=list)
    _notes: dict[str, list[str]] = field(default_factory=dict)

    def leave_out(self, place: SourcePlace, message: str) -> None:
        """One thing that is not taken over."""
        said = place.says(message)
        if said not in self.left_out:
            self.left_out.append(said)

    @contextmanager
    def trying(self, place: SourcePlace) -> Iterator[None]:
        """Leave out what the block finds to be unmapped, or of a shape that its tool does not
        write.
        """
        try:
            yield
        except UnmappedError as error:
            self.leave_out(error.place or place, str(error))
        except SHAPE_ERRORS as error:
            self.leave_out(place, f"has an unexpected shape ({shape_of(error)})")

    def note(self, place: SourcePlace, message: str) -> None:
        """Something to know; what is said again at other places is told once, with their number."""
        said = self._notes.setdefault(message, [])
        where = place.says("").rstrip(": ")
        if where not in said:
            said.append(where)

    @property
    def notes(self) -> list[str]:
        """Each note, at its first place."""
        return [
            f"{places[0]}: {message}"
            + (f" (and at {len(places) - 1} more)" if len(places) > 1 else "")
            for message, places in self._notes.items()
        ]

    def settle(self, *, skip_unknown: bool) -> None:
        """Refuse what is left out, unless that is wanted.

        Raises:
            SuiteError: every thing that is left out, a line each.
        """
        if self.left_out and not skip_unknown:
            count = len(self.left_out)
            things = "one thing has" if count == 1 else f"{count} things have"
            raise SuiteError(
                "\n".join(self.left_out)
                + f"\n{things} no counterpart here, and nothing was written; --skip-unknown leaves"
                " that out and lists it"
            )
