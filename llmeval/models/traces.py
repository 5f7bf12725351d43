"""The trace of an answer: the steps that an application took, or a link to where they are shown."""

from urllib.parse import urlsplit

from llmeval.core.errors import ModelError
from llmeval.core.json_values import clean_text
from llmeval.core.otel_spans import NotSpans, OtelSpan, in_tree_order, read_spans
from llmeval.core.trace_steps import Trace, TraceStep

MOST_STEPS = 500
"""Steps of one answer that are recorded."""
MOST_CHARS = 2_000
"""Characters of one attribute that are recorded."""
MOST_ATTRIBUTES = 60


def read_trace(value: object, where: str, kind: str = "provider") -> Trace | None:
    """The trace that a reply holds; None for null.

    Args:
        value: an address that begins with http:// or https://, OTLP-JSON, or a list of its spans.
        where: the application and the key, for messages.
        kind: of the error that another value is.

    Raises:
        ModelError: it is something else.
    """
    if value is None:
        return None
    if isinstance(value, str):
        if urlsplit(value).scheme in ("http", "https"):
            return Trace(url=clean_text(value))
        raise ModelError(
            f"{where}: a text must be an address that begins with https://, not {value[:60]!r}",
            kind=kind,
        )
    try:
        return trace_of(read_spans(value))
    except NotSpans as error:
        raise ModelError(f"{where}: {error}", kind=kind) from None


def trace_of(spans: list[OtelSpan]) -> Trace:
    """Spans as the steps of an answer, in the order of their tree. Times count from the first
    start.
    """
    begin = min((span.start_ns for span in spans if span.start_ns), default=0)
    steps = [_step(span, depth, begin) for span, depth in in_tree_order(spans)]
    return Trace(steps=tuple(steps[:MOST_STEPS]), left_out=max(0, len(steps) - MOST_STEPS))


def _step(span: OtelSpan, depth: int, begin: int) -> TraceStep:
    attributes = dict(list(span.attributes.items())[:MOST_ATTRIBUTES])
    return TraceStep(
        name=span.name,
        depth=depth,
        start_ms=round(max(0, span.start_ns - begin) / 1e6, 3),
        duration_ms=round(span.duration_ms, 3),
        error=span.error or None,
        attributes={name: _short(value) for name, value in attributes.items()},
    )


def _short(value: object) -> object:
    if isinstance(value, str) and len(value) > MOST_CHARS:
        return value[: MOST_CHARS - 1] + "…"
    return value
