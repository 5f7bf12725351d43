"""What every data test shares: the finding, a case as the tests read it, and the protocol."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import msgspec

from llmeval.core.records import Case

FindingLevel = Literal["error", "warn", "info"]
_LINE = re.compile(r" \(line \d+\)")
MAX_NAMED = 5
"""The most case ids in one message. A finding's record has all of them."""


class DataFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One defect of the data of a suite."""

    rule: str
    """Id of the rule, such as `D001`."""
    level: FindingLevel
    """Only errors fail `llmeval data check`."""
    cases: tuple[str, ...]
    """Ids of the cases; empty for a finding about the whole suite."""
    file: str
    """The file to change."""
    line: int | None
    """The line of the first case; null if it is not certain."""
    message: str
    """One sentence: what is wrong."""
    fix: str
    """One sentence: what to do."""
    evidence: str = ""
    """A short text of the data that shows the defect."""
    case_digests: tuple[str, ...] = ()
    """The first 16 hex digits of the digest of each case, in the order of `cases`."""

    @property
    def fingerprint(self) -> str:
        """The letter f and 15 hex digits, of rule, level, cases and message without lines: what an
        acceptance names. YAML reads it as a text, whatever the digits are.
        """
        parts = [self.rule, self.level, *self.case_digests, _LINE.sub("", self.message)]
        return "f" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:15]


@dataclass(frozen=True, slots=True)
class CasePlace:
    """A case without its texts. Tests that compare cases hold one for each."""

    id: str
    source: str
    """`file:line`."""
    digest: str
    """16 hex digits."""

    @property
    def position(self) -> tuple[str, int | None]:
        """File and line."""
        file, colon, line = self.source.rpartition(":")
        return (file, int(line)) if colon and line.isdigit() else (self.source, None)


@dataclass(frozen=True, slots=True)
class SuiteCase:
    """A case as the tests read it."""

    case: Case
    place: CasePlace
    question: str
    """The short texts that the prompt uses, normalised (`normalise`)."""
    long_text: bytes
    """Digest of the long texts that the prompt uses, such as `context`."""
    key: bytes
    """Digest of every value that the prompt uses, normalised."""
    references: tuple[str, ...]
    """Normalised."""


class DataTest(Protocol):
    """Cases in, findings out. `add` gets each case once, in order; then `findings` is called."""

    def add(self, case: SuiteCase) -> None:
        """Read one case. Keep only what `findings` needs: a suite may have 100,000 cases."""

    def findings(self) -> Iterable[DataFinding | None]:
        """The findings on the cases that were added. A test that takes long yields None in between,
        so that a run can continue with its calls.
        """


def finding(
    rule: str,
    level: FindingLevel,
    places: Sequence[CasePlace],
    message: str,
    fix: str,
    *,
    evidence: str = "",
) -> DataFinding:
    """A finding about some cases, at the line of the first of them."""
    file, line = places[0].position
    return DataFinding(
        rule=rule,
        level=level,
        cases=tuple(place.id for place in places),
        file=file,
        line=line,
        message=message,
        fix=fix,
        evidence=evidence[:200],
        case_digests=tuple(place.digest for place in places),
    )


def named(places: Sequence[CasePlace]) -> str:
    """The ids of some cases for a message, with the line of each: `a (12), b (15) and 3 more`."""
    ids = [_with_line(place) for place in places[:MAX_NAMED]]
    more = len(places) - len(ids)
    return ", ".join(ids) + (f" and {more:,} more" if more else "")


def _with_line(place: CasePlace) -> str:
    line = place.position[1]
    return place.id if line is None else f"{place.id} (line {line})"


def texts_of(case: Case) -> Iterator[tuple[str, str]]:
    """(field, text) of every text that a case holds."""
    for name, value in case.fields.items():
        for text in _strings(value):
            yield name, text
    for text in case.references:
        yield "references", text
    if case.context is not None:
        yield "context", case.context
    for fact in case.facts:
        for text in _strings(fact):
            yield "facts", text
    for message in case.messages:
        yield "messages", message.content


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)
