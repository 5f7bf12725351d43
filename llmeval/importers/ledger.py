"""What an import could not take over, and what users have to know. It is collected, so that one
message lists all of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from llmeval.core.errors import SuiteError
from llmeval.data.traces.logged_messages import UnreadableMessage
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
        found_value = self.document.data
        for part in self.path:
            if isinstance(found_value, dict):
                found_value = found_value.get(part)
            elif (
                isinstance(found_value, list) and isinstance(part, int) and part < len(found_value)
            ):
                found_value = found_value[part]
            else:
                return None
        return found_value

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
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    ValueError,
    ArithmeticError,
    RecursionError,
)
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
    """What an import leaves out, what has to be filled in, and what has another meaning. The same
    message at several places is one line with their number.
    """

    _left_out: dict[str, list[str]] = field(default_factory=dict)
    _to_fill: dict[str, list[str]] = field(default_factory=dict)
    _notes: dict[str, list[str]] = field(default_factory=dict)

    def leave_out(self, place: SourcePlace, message: str) -> None:
        """One thing that is not taken over."""
        _add(self._left_out, place, message)

    @contextmanager
    def trying(self, place: SourcePlace) -> Iterator[None]:
        """Leave out what the block finds to be unmapped, or of a shape that its tool does not
        write.
        """
        try:
            yield
        except UnmappedError as error:
            self.leave_out(error.place or place, str(error))
        except UnreadableMessage as error:
            self.leave_out(place, str(error))
        except SHAPE_ERRORS as error:
            self.leave_out(place, f"has an unexpected shape ({shape_of(error)})")

    def fill_in(self, place: SourcePlace, message: str) -> None:
        """One thing that the user has to fill in. Until then it is an error, never a pass."""
        _add(self._to_fill, place, message)

    def note(self, place: SourcePlace, message: str) -> None:
        """One thing that has another meaning here, or none."""
        _add(self._notes, place, message)

    @property
    def left_out(self) -> list[str]:
        """Each reason, at its first place."""
        return _lines(self._left_out)

    @property
    def to_fill(self) -> list[str]:
        """Each thing to fill in, at its first place."""
        return _lines(self._to_fill)

    @property
    def notes(self) -> list[str]:
        """Each note, at its first place."""
        return _lines(self._notes)

    def settle(self, *, skip_unknown: bool) -> None:
        """Refuse what is left out, unless `skip_unknown` allows that.

        Raises:
            SuiteError: every reason, a line each.
        """
        if self._left_out and not skip_unknown:
            count = sum(map(len, self._left_out.values()))
            things = "one thing has" if count == 1 else f"{count} things have"
            raise SuiteError(
                "\n".join(self.left_out)
                + f"\n{things} no counterpart here, and nothing was written; --skip-unknown leaves"
                " that out and lists it"
            )


def _add(by_message: dict[str, list[str]], place: SourcePlace, message: str) -> None:
    places = by_message.setdefault(message, [])
    where = place.says("").rstrip(": ")
    if where not in places:
        places.append(where)


def _lines(by_message: dict[str, list[str]]) -> list[str]:
    return [
        f"{places[0]}: {message}" + (f" (and at {len(places) - 1} more)" if len(places) > 1 else "")
        for message, places in by_message.items()
    ]
