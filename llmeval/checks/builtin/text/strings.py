"""Checks on the answer's characters: equal, contains, begins, ends."""

from collections.abc import Sequence

from llmeval.checks.arguments import AnyText, Text, Texts, clip
from llmeval.checks.base import Result, check, not_applicable, verdict
from llmeval.checks.reading.text import caseless
from llmeval.core.records import Answer, Case, Span

_COMPARED = 10_000


@check(group="strings", version=2)
def equals(
    case: Case, answer: Answer, *, text: AnyText | None = None, ignore_case: bool = False
) -> Result:
    """The whole answer, without surrounding white space, is `text`; by default one of the case's
    references.
    """
    expected = (text,) if text is not None else case.references
    if not expected:
        return not_applicable("no expected text: neither the case nor the check has one")
    actual = _folded(answer.text.strip(), ignore_case)
    if any(actual == _folded(one.strip(), ignore_case) for one in expected):
        return verdict(True, "is the expected text")
    more = " or another reference" if len(expected) > 1 else ""
    return verdict(
        False,
        f"is not {clip(expected[0])}{more}",
        *_first_difference(answer.text, expected[0], ignore_case),
    )


@check(group="strings", version=2)
def one_of(case: Case, answer: Answer, *, options: Texts, ignore_case: bool = True) -> Result:
    """The whole answer is one of the `options`, without surrounding white space and final
    period.
    """
    actual = _folded(answer.text.strip().rstrip("."), ignore_case)
    valid = [
        option for option in options if _folded(option.strip().rstrip("."), ignore_case) == actual
    ]
    return verdict(
        bool(valid), f"is {clip(valid[0])}" if valid else f"is none of {_listed(options)}"
    )


@check(group="strings", version=2)
def contains(case: Case, answer: Answer, *, text: Text) -> Result:
    """The answer contains `text`, in the same case."""
    return _contains(answer.text, [text], False, 1)


@check(group="strings", version=2)
def icontains(case: Case, answer: Answer, *, text: Text) -> Result:
    """The answer contains `text`, in upper or lower case."""
    return _contains(answer.text, [text], True, 1)


@check(group="strings", version=2)
def contains_all(case: Case, answer: Answer, *, texts: Texts, ignore_case: bool = False) -> Result:
    """The answer contains every one of `texts`."""
    return _contains(answer.text, texts, ignore_case, len(texts))


@check(group="strings", version=2)
def contains_any(case: Case, answer: Answer, *, texts: Texts, ignore_case: bool = False) -> Result:
    """The answer contains at least one of `texts`."""
    return _contains(answer.text, texts, ignore_case, 1)


@check(group="strings", version=2)
def contains_none(case: Case, answer: Answer, *, texts: Texts, ignore_case: bool = False) -> Result:
    """The answer contains none of `texts`."""
    matches = _find(answer.text, texts, ignore_case)
    there = [text for text, _ in matches]
    spans = (Span(s.start, s.end, "must not be there", "contains_none") for _, s in matches)
    return verdict(
        not matches, f"contains {_listed(there)}" if matches else "contains none of them", *spans
    )


@check(group="strings", version=2)
def starts_with(case: Case, answer: Answer, *, text: Text, ignore_case: bool = False) -> Result:
    """The answer begins with `text`, after white space."""
    passed = _folded(answer.text.lstrip(), ignore_case).startswith(_folded(text, ignore_case))
    begins = answer.text.lstrip()[: max(20, len(text))]
    return verdict(
        passed, f"begins with {clip(begins)}" + ("" if passed else f", not {clip(text)}")
    )


@check(group="strings", version=2)
def ends_with(case: Case, answer: Answer, *, text: Text, ignore_case: bool = False) -> Result:
    """The answer ends with `text`, before white space."""
    passed = _folded(answer.text.rstrip(), ignore_case).endswith(_folded(text, ignore_case))
    ends = answer.text.rstrip()[-max(20, len(text)) :]
    return verdict(passed, f"ends with {clip(ends)}" + ("" if passed else f", not {clip(text)}"))


def _contains(actual: str, texts: Sequence[str], ignore_case: bool, needed: int) -> Result:
    matches = _find(actual, texts, ignore_case)
    there = [text for text, _ in matches]
    spans = [span for _, span in matches]
    if len(matches) >= needed:
        return verdict(True, f"contains {_listed(there)}", *spans)
    missing = [text for text in texts if text not in there]
    joint = " and " if needed > 1 else " or "
    return verdict(False, f"does not contain {joint.join(map(clip, missing))}", *spans)


def _find(actual: str, texts: Sequence[str], ignore_case: bool) -> list[tuple[str, Span]]:
    """Which texts are there, and where each stands first."""
    haystack = _folded(actual, ignore_case)
    kept = len(haystack) == len(actual)
    matches: list[tuple[str, Span]] = []
    for text in texts:
        needle = _folded(text, ignore_case)
        at = haystack.find(needle)
        if at >= 0:
            place = (at, at + len(needle)) if kept else _unfolded(actual, at, at + len(needle))
            matches.append((text, Span(*place, "found", "contains", "info")))
    return matches


def _folded(text: str, ignore_case: bool) -> str:
    return caseless(text) if ignore_case else text


def _unfolded(actual: str, start: int, end: int) -> tuple[int, int]:
    """Where [start, end) of the caseless text stands in `given`, in which a letter may have another
    length.
    """
    first, position, previous = None, 0, ""
    for index, letter in enumerate(actual):
        if first is None and position >= start:
            first = index
        if position >= end:
            return first or 0, index
        folded = caseless(letter)
        position += 0 if letter == "\u0307" and previous == "i" else len(folded)
        previous = folded
    return first or 0, len(actual)


def _first_difference(actual: str, expected: str, ignore_case: bool) -> list[Span]:
    body, other = actual.strip(), expected.strip()
    if not body:
        return []
    pairs = zip(body[:_COMPARED], other, strict=False)
    differ = (
        i
        for i, (a, b) in enumerate(pairs)
        if a != b and _folded(a, ignore_case) != _folded(b, ignore_case)
    )
    at = next(differ, min(len(body) - 1, len(other)))
    start = len(actual) - len(actual.lstrip())
    return [Span(start + at, start + len(body), "differs from here on", "equals")]


def _listed(texts: Sequence[str]) -> str:
    shown = ", ".join(clip(text) for text in texts[:10])
    return shown + (f" and {len(texts) - 10} more" if len(texts) > 10 else "")
