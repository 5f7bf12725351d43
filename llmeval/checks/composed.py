"""Composed and decomposed letters (`é` as one code point or as two) are the same text: Unicode's
NFC.

`spec.One` composes the answer, the case and the arguments before a check compares them, and leads
the evidence back to the places of the answer as it came. Checks therefore never see the two forms
of one letter.
"""

import unicodedata
from bisect import bisect_right
from functools import lru_cache

import regex
from msgspec.structs import replace

from llmeval.core.records import Answer, Case, Span

_CLUSTER = regex.compile(r"\X")


def compose(value: object) -> object:
    """The value with every text in it composed; the same object where nothing changes."""
    if isinstance(value, str):
        # normalize() is slow on long texts, the two tests are not
        return value if _is_composed(value) else unicodedata.normalize("NFC", value)
    if isinstance(value, dict):
        if all(_is_ascii(key) and _is_ascii(item) for key, item in value.items()):
            return value  # as most cases are, and this is asked of each for each check
        composed = {compose(key): compose(item) for key, item in value.items()}
        return (
            composed
            if any(composed.get(key, composed) is not item for key, item in value.items())
            else value
        )
    if isinstance(value, list | tuple):
        parts = [compose(item) for item in value]
        same = all(new is old for new, old in zip(parts, value, strict=True))
        return value if same else type(value)(parts)
    return value


def composed_answer(answer: Answer) -> Answer:
    """The answer with its output, its data and the arguments of its tool calls composed."""
    calls, data = compose(answer.tool_calls), compose(answer.data)
    if _is_composed(answer.text) and calls is answer.tool_calls and data is answer.data:
        return answer
    return replace(answer, output=compose(answer.output), tool_calls=calls, data=data)


def composed_case(case: Case) -> Case:
    """The case with what checks compare composed: its fields, references, context and facts."""
    parts = {name: getattr(case, name) for name in ("fields", "references", "context", "facts")}
    changed = {name: new for name, old in parts.items() if (new := compose(old)) is not old}
    return replace(case, **changed) if changed else case


def raw_spans(text: str, spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """Spans of the composed text as places in `text`, which is not composed."""
    starts, raw = _places(text)
    moved = []
    for span in spans:
        first = bisect_right(starts, span.start) - 1
        last = bisect_right(starts, max(span.start, span.end - 1)) - 1
        end = raw[last + 1] if span.end > span.start else raw[first]
        moved.append(replace(span, start=raw[first], end=end))
    return tuple(moved)


def _is_ascii(value: object) -> bool:
    return isinstance(value, str) and value.isascii()


def _is_composed(text: str) -> bool:
    return text.isascii() or unicodedata.is_normalized("NFC", text)


@lru_cache(maxsize=2)  # the checks of a suite read one answer after another
def _places(text: str) -> tuple[list[int], list[int]]:
    """Where each cluster starts in the composed text, and in the raw one; both with the end of the
    text.

    No letter is composed over the border of a grapheme cluster (UAX #29 keeps canonical
    equivalence), so clusters are composed one by one.
    """
    starts, raw, at = [0], [0], 0
    for match in _CLUSTER.finditer(text):
        cluster = match[0]
        if cluster.isascii() or unicodedata.is_normalized("NFC", cluster):
            # one step a code point: evidence may begin inside a cluster
            starts.extend(range(at + 1, at + len(cluster) + 1))
            raw.extend(range(match.start() + 1, match.end() + 1))
            at += len(cluster)
        else:
            at += len(unicodedata.normalize("NFC", cluster))
            starts.append(at)
            raw.append(match.end())
    return starts, raw
