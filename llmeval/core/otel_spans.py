"""Spans of OpenTelemetry in their JSON form (OTLP-JSON), as an exporter writes them and as an
application may return them.

The form is the JSON mapping of opentelemetry-proto's `TracesData`: `resourceSpans` hold
`scopeSpans`, those hold `spans`. Names of keys may be in camelCase or snake_case. Times are
nanoseconds since 1970, as numbers or as texts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from llmeval.core.json_values import plain

_DEEPEST = 20
"""How deep values of attributes may be nested."""
_GROUPS = ("resourceSpans", "resource_spans", "scopeSpans", "scope_spans", "spans")
"""Keys of lists that lead to the spans."""
_VALUES = ("stringValue", "boolValue", "doubleValue", "bytesValue")
"""Values that need no conversion."""
_FAILED = (2, "2", "STATUS_CODE_ERROR")


class NotSpans(ValueError):
    """A value holds no spans; the message says why."""


@dataclass(frozen=True)
class OtelEvent:
    """An event of a span."""

    name: str
    attributes: Mapping[str, object]


@dataclass(frozen=True)
class OtelSpan:
    """One span: an operation with its start, its end and its attributes."""

    name: str
    trace_id: str = ""
    span_id: str = ""
    parent_id: str = ""
    start_ns: int = 0
    """Nanoseconds since 1970; 0 where the span has no time."""
    end_ns: int = 0
    attributes: Mapping[str, object] = field(default_factory=dict)
    events: tuple[OtelEvent, ...] = ()
    error: str = ""
    """What its status says if that is an error; else empty."""

    @property
    def duration_ms(self) -> float:
        """Milliseconds from start to end, at least 0."""
        return max(0.0, (self.end_ns - self.start_ns) / 1e6)

    def text(self, *names: str) -> str:
        """The first of these attributes that is a text and not empty; else an empty text."""
        values = (self.attributes.get(name) for name in names)
        return next((value for value in values if isinstance(value, str) and value), "")

    def number(self, *names: str) -> float | None:
        """The first of these attributes that is a number, or a text with one; else None."""
        for name in names:
            number = as_number(self.attributes.get(name))
            if number is not None:
                return number
        return None


def read_spans(value: object) -> list[OtelSpan]:
    """The spans in a document, by their start.

    Args:
        value: `{resourceSpans: [...]}`, a list of such documents, or a list of spans.

    Raises:
        NotSpans: it is neither.
    """
    spans = [_span(raw) for raw in _raw_spans(value)]
    if not spans:
        raise NotSpans(
            "there are no spans: expected OTLP-JSON, `{resourceSpans: [{scopeSpans: [{spans:"
            " [...]}]}]}`, or a list of its spans"
        )
    return sorted(spans, key=lambda span: span.start_ns)


def in_tree_order(spans: Sequence[OtelSpan]) -> list[tuple[OtelSpan, int]]:
    """Each span with its depth: after its parent, siblings by their start. A span whose parent is
    not among them is at depth 0.
    """
    ids = {span.span_id for span in spans if span.span_id}
    children: dict[str, list[OtelSpan]] = {}
    roots: list[OtelSpan] = []
    for span in sorted(spans, key=lambda span: span.start_ns):
        is_child = span.parent_id in ids and span.parent_id != span.span_id
        (children.setdefault(span.parent_id, []) if is_child else roots).append(span)
    ordered: list[tuple[OtelSpan, int]] = []
    waiting = [(span, 0) for span in reversed(roots)]
    while waiting:
        span, depth = waiting.pop()
        ordered.append((span, depth))
        below = children.pop(span.span_id, []) if span.span_id else []
        waiting += [(child, depth + 1) for child in reversed(below)]
    # Spans that name each other as parents have no root; none may be missing.
    circular = [(span, 0) for below in children.values() for span in below]
    return ordered + circular


def _raw_spans(value: object) -> Iterable[Mapping[str, object]]:
    if isinstance(value, list):
        for item in value:
            yield from _raw_spans(item)
    elif isinstance(value, Mapping):
        below = [key for key in _GROUPS if isinstance(value.get(key), list)]
        if below:
            for key in below:
                yield from _raw_spans(value[key])
        elif isinstance(value.get("name"), str):
            yield value


def _span(raw: Mapping[str, object]) -> OtelSpan:
    status = raw.get("status")
    error = ""
    if isinstance(status, Mapping) and status.get("code") in _FAILED:
        error = str(status.get("message") or "error")
    events = raw.get("events")
    return OtelSpan(
        name=str(raw["name"]),
        trace_id=_id(raw, "traceId", "trace_id"),
        span_id=_id(raw, "spanId", "span_id"),
        parent_id=_id(raw, "parentSpanId", "parent_span_id", "parentId"),
        start_ns=_time(raw, "startTimeUnixNano", "start_time_unix_nano", "startTime"),
        end_ns=_time(raw, "endTimeUnixNano", "end_time_unix_nano", "endTime"),
        attributes=_attributes(raw.get("attributes")),
        events=tuple(
            OtelEvent(str(event.get("name") or ""), _attributes(event.get("attributes")))
            for event in (events if isinstance(events, list) else ())
            if isinstance(event, Mapping)
        ),
        error=error,
    )


def _id(raw: Mapping[str, object], *names: str) -> str:
    return next((str(raw[name]) for name in names if raw.get(name)), "")


def _time(raw: Mapping[str, object], *names: str) -> int:
    number = next((as_number(raw[name]) for name in names if raw.get(name)), None)
    return 0 if number is None else int(number)


def as_number(value: object) -> float | None:
    """A number, or a text with one, as a number; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if not isinstance(value, str):
        return None
    try:
        # An int first: nanoseconds since 1970 have more digits than a float keeps.
        return int(value)
    except ValueError:
        pass
    try:
        return float(value)
    except ValueError:
        return None


def _attributes(value: object) -> dict[str, object]:
    """Attributes by name, from OTLP's list of `{key, value}` or from an object."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if not isinstance(value, list):
        return {}
    return {
        str(item["key"]): _any_value(item.get("value"), _DEEPEST)
        for item in value
        if isinstance(item, Mapping) and "key" in item
    }


def _any_value(value: object, depth: int) -> object:
    """An `AnyValue` of OTLP as JSON."""
    if not isinstance(value, Mapping):
        return plain(value)
    if depth == 0:
        return None
    for name in _VALUES:
        if name in value:
            return plain(value[name])
    if "intValue" in value:
        return as_number(value["intValue"])
    array, pairs = value.get("arrayValue"), value.get("kvlistValue")
    if isinstance(array, Mapping):
        items = array.get("values")
        return [_any_value(item, depth - 1) for item in items] if isinstance(items, list) else []
    if isinstance(pairs, Mapping):
        items = pairs.get("values")
        return {
            str(item["key"]): _any_value(item.get("value"), depth - 1)
            for item in (items if isinstance(items, list) else ())
            if isinstance(item, Mapping) and "key" in item
        }
    return None
