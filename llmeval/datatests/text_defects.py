"""D006, D011, D012 and D013: defects in the texts of single cases."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from llmeval.checks.base import Result
from llmeval.checks.builtin.safety.privacy import no_pii, no_secrets
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case
from llmeval.datatests.findings import (
    CasePlace,
    DataFinding,
    FindingLevel,
    SuiteCase,
    finding,
    named,
    texts_of,
)

_PLACEHOLDER = frozenset(
    "null nan todo tbd tba fixme xxx ? ?? ??? ... … n/a #n/a #ref! #value! undefined <na>"
    " placeholder lorem ipsum -".split()
)
_DOUBTFUL = frozenset(["none", "unknown", "not known", "no answer"])
_MOJIBAKE = re.compile(
    "[\u00c2-\u00c3][\u0080-\u00bf]"  # two bytes of UTF-8 as Latin-1
    "|\u00e2[\u0080\u20ac][\u0080-\u00bf\u0152\u0153\u0178\u017d\u0192\u02c6\u02dc\u2010-\u203a"
    "\u20ac\u2122"
    "\u0160\u0161]"  # a quotation mark or a dash
    "|\u00f0[\u009f\u0178][\u0080-\u00bf\u2018-\u203a\u02dc\u0152\u0153]"  # an emoji
    "|\u00ef\u00bf\u00bd|\ufffd"
)
_C1_TEXT = re.compile(
    "(?<![A-Z\u00c0-\u00de])[\u00c2\u00c3]"
    "[\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
)
"""The same as Windows-1252, where the second byte has another character."""
_HIDDEN = re.compile(
    "[\u200b\ufeff\u00ad\u2060\u202a-\u202e\u2066-\u2069]|[\u200c\u200d\u200e\u200f]"
)
_JOINERS = frozenset("\u200c\u200d\u200e\u200f")
_NEEDS_JOINER = re.compile(
    "[\u0590-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u17ff\u1800-\u18af\ufb1d-\ufdff\ufe70-\ufeff]"
    "|[\u2600-\u27bf\u2190-\u21ff\U0001f000-\U0001faff]"
)
"""Scripts, and emoji, whose spelling uses joiners and direction marks."""
_ESCAPE = re.compile(
    r"\\u[0-9a-fA-F]{4}|&(?:amp|lt|gt|quot|nbsp|apos|#\d{2,5}|#x[0-9a-fA-F]{2,5});"
)
_NULL_WORD = re.compile(r"\b(?=\w*null)(\w{5,})\b", re.IGNORECASE)
_NULL_WORDS = re.compile(
    r"null(?:s|ed|ify|ified|ifies|ifying|ification|ity|ities|able|ability|arbor|ah|a|ify"
    r"|ipar\w*|us)?"
    r"|annul\w*|nulls?\w*_\w*|\w*_null\w*|is_?null|not_?null|nonnull|ifnull|nullif|nullptr",
    re.IGNORECASE,
)
_MANY_NULLS = 3
"""Different cases with such a word from which the file is damaged."""


@dataclass
class _Hits:
    places: list[CasePlace] = field(default_factory=list)
    evidence: str = ""

    def add(self, place: CasePlace, evidence: str) -> None:
        if not self.places or self.places[-1] != place:
            self.places.append(place)
        self.evidence = self.evidence or evidence


class Placeholders:
    """D006: a reference that is blank or a placeholder."""

    def __init__(self) -> None:
        self._errors: list[tuple[CasePlace, str]] = []
        self._doubtful = _Hits()

    def add(self, case: SuiteCase) -> None:
        """See `DataTest`."""
        values = [*case.case.references, *_stated(case.case)]
        for text in values:
            plain = " ".join(text.casefold().split())
            bare = plain.strip("[]<>(){}\"' ") or plain
            if not bare or plain in _PLACEHOLDER or bare in _PLACEHOLDER:
                self._errors.append((case.place, text))
                return
            if bare.rstrip(".") in _DOUBTFUL:
                self._doubtful.add(case.place, text)

    def findings(self) -> Iterator[DataFinding]:
        """An error for each placeholder; one note on `none` and `unknown`."""
        for place, text in self._errors:
            what = f"the placeholder {text.strip()!r}" if text.strip() else "blank"
            yield finding(
                "D006",
                "error",
                [place],
                f"a reference of {place.id} is {what}",
                "Write the right answer, or remove the case",
                evidence=text,
            )
        if self._doubtful.places:
            yield finding(
                "D006",
                "info",
                self._doubtful.places,
                f"the reference of {len(self._doubtful.places):,} cases is a word such as"
                f" {self._doubtful.evidence!r}: {named(self._doubtful.places)}",
                "Check that this is the right answer, and not a missing one",
                evidence=self._doubtful.evidence,
            )


def _stated(case: Case) -> Iterator[str]:
    for fact in case.facts:
        value = fact.get("value")
        if isinstance(value, str):
            yield value


class Encodings:
    """D011a to D011e: texts damaged on the way into the file."""

    def __init__(self) -> None:
        self._broken: list[tuple[CasePlace, str, str]] = []
        self._hidden: list[tuple[CasePlace, str, str]] = []
        self._escapes: list[tuple[CasePlace, str, str]] = []
        self._spaces: dict[str, _Hits] = {}
        self._nulls = _Hits()

    def add(self, case: SuiteCase) -> None:
        """See `DataTest`. Reports each kind once for a case."""
        seen = set[str]()
        for name, text in texts_of(case.case):
            if not text.isascii():
                self._beyond_ascii(case.place, name, text, seen)
            if "escape" not in seen and ("\\u" in text or "&" in text):
                match = _ESCAPE.search(text)
                if match and not _is_code(text):
                    seen.add("escape")
                    self._escapes.append((case.place, name, match[0]))
            if "null" not in seen and "null" in text:
                word = _null_word(text)
                if word:
                    seen.add("null")
                    self._nulls.add(case.place, word)

    def _beyond_ascii(self, place: CasePlace, name: str, text: str, seen: set[str]) -> None:
        if "broken" not in seen and (match := _MOJIBAKE.search(text) or _C1_TEXT.search(text)):
            seen.add("broken")
            self._broken.append((place, name, _around(text, *match.span())))
        if "hidden" not in seen and (mark := _hidden_mark(text)) is not None:
            seen.add("hidden")
            self._hidden.append((place, name, f"U+{ord(mark):04X}"))
        if "space" not in seen and name == "references" and "\u00a0" in text:
            seen.add("space")
            file = str(Path(place.position[0]))
            self._spaces.setdefault(file, _Hits()).add(place, text)

    def findings(self) -> Iterator[DataFinding]:
        """One finding for each damaged case; one for each file with no-break spaces."""
        yield from _each(
            "D011a", "error", self._broken, "has characters of a wrong decoding", _DECODE
        )
        yield from _each("D011b", "warn", self._hidden, "has an invisible character", _REMOVE)
        for hits in self._spaces.values():
            yield finding(
                "D011c",
                "info",
                hits.places,
                f"references of {len(hits.places):,} cases have no-break spaces:"
                f" {named(hits.places)}",
                "Replace them with spaces if the check is `equals`; other checks treat them alike",
                evidence=hits.evidence,
            )
        yield from _each(
            "D011d", "warn", self._escapes, "has an escape that was not decoded", _DECODE
        )
        if len(self._nulls.places) >= _MANY_NULLS:
            yield finding(
                "D011e",
                "warn",
                self._nulls.places,
                f"{len(self._nulls.places):,} cases have a word with `null` inside, such as"
                f" {self._nulls.evidence!r}: {named(self._nulls.places)}",
                "A program replaced `nan` with `null`: write the file again from its source",
                evidence=self._nulls.evidence,
            )


_DECODE = "Write the file again from its source, as UTF-8"
_REMOVE = "Remove it: a text with it looks equal and is not"


def _each(
    rule: str,
    level: FindingLevel,
    hits: list[tuple[CasePlace, str, str]],
    what: str,
    fix: str,
) -> Iterator[DataFinding]:
    for place, name, evidence in hits:
        yield finding(
            rule,
            level,
            [place],
            f"`{name}` of {place.id} {what}: {evidence!r}",
            fix,
            evidence=evidence,
        )


def _around(text: str, start: int, end: int) -> str:
    return text[max(0, start - 15) : end + 15]


def _hidden_mark(text: str) -> str | None:
    """The first invisible character that the spelling does not need."""
    for match in _HIDDEN.finditer(text):
        mark = match[0]
        near = text[max(0, match.start() - 3) : match.end() + 3]
        if mark not in _JOINERS or not _NEEDS_JOINER.search(near):
            return mark
    return None


def _is_code(text: str) -> bool:
    """Whether a text is about code or markup, where an escape is meant."""
    return "```" in text or "</" in text or "://" in text or "href" in text or '": "' in text


def _null_word(text: str) -> str | None:
    for match in _NULL_WORD.finditer(text):
        word = match[0]
        if not _NULL_WORDS.fullmatch(word) and not re.search(r"[a-z]N|[A-Z]{2}|\d|_", word):
            return word
    return None


class Privacy:
    """D012 and D013: secrets and personal data in the texts of a case.

    The checks read the texts of many cases at once. They read single cases only in a block that has
    a match, which is 20 times as fast.
    """

    def __init__(self) -> None:
        self._secrets: list[tuple[CasePlace, str]] = []
        self._personal: list[tuple[CasePlace, str]] = []
        self._unread: list[CasePlace] = []
        self._block: list[tuple[CasePlace, str]] = []
        self._chars = 0

    def add(self, case: SuiteCase) -> None:
        """See `DataTest`. The text of the match is not part of the finding."""
        text = "\n".join(part for _, part in texts_of(case.case))
        if not text or not _MAYBE_PRIVATE.search(text):
            return
        self._block.append((case.place, text))
        self._chars += len(text)
        if self._chars >= _BLOCK:
            self._read_block()

    def _read_block(self) -> None:
        block, self._block, self._chars = self._block, [], 0
        together = "\n\n\n".join(text for _, text in block)
        for test, hits in ((no_secrets, self._secrets), (no_pii, self._personal)):
            if _private(test, together) == "":
                continue
            for place, text in block:
                reason = _private(test, text)
                if reason is None:
                    self._unread.append(place)
                elif reason:
                    hits.append((place, reason))

    def findings(self) -> Iterator[DataFinding]:
        """An error for each case with a secret, a warning for each with personal data."""
        self._read_block()
        for place, reason in self._secrets:
            yield finding(
                "D012",
                "error",
                [place],
                f"{place.id} {reason}",
                "Revoke it, and write a made-up one",
            )
        for place, reason in self._personal:
            yield finding(
                "D013",
                "warn",
                [place],
                f"{place.id} {reason}",
                "Replace it with made-up data, for example of example.com",
            )
        if self._unread:
            yield finding(
                "D012",
                "warn",
                self._unread,
                f"too long to test for secrets and personal data: {named(self._unread)}",
                "Split the texts, or test them with another tool",
            )


def _private(test: Callable[[Case, Answer], Result], text: str) -> str | None:
    """What a check reports in a text; empty if nothing; None if the text is too long for it."""
    try:
        result = test(Case(id="", fields={}), Answer(case_id="", output=text))
    except CheckError:
        return None
    return result.reason if result.passed is False else ""


_BLOCK = 20_000
"""Characters that the checks read at once."""
_MAYBE_PRIVATE = re.compile(r"[@:=]|\d{3}|-----|[A-Za-z0-9_-]{16}")
"""Every secret and every kind of personal data has one of these."""
