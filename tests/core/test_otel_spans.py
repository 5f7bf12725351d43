"""Spans of OpenTelemetry: both spellings of keys, every kind of value, and the order of the tree."""

from typing import Any

import pytest

from llmeval.core.otel_spans import NotSpans, OtelSpan, in_tree_order, read_spans
from tests.importers.traffic_samples import attributes, document, span


@pytest.mark.parametrize(
    "value", ["text", 7, 1.5, True, ["a", 1, [2]], {"a": {"b": [1, "c"]}}], ids=str
)
def test_values_of_attributes(value: Any) -> None:
    (read,) = read_spans(document(span("t", "one", 0, 1, {"key": value})))
    assert read.attributes == {"key": value}


def test_keys_in_snake_case_and_attributes_as_an_object() -> None:
    raw = {"name": "x", "trace_id": "t", "span_id": "s", "parent_span_id": "p"}
    times = {"start_time_unix_nano": 5, "end_time_unix_nano": 2_000_005}
    (read,) = read_spans({"resource_spans": [{"scope_spans": [{"spans": [{**raw, **times}]}]}]})
    assert read == OtelSpan("x", "t", "s", "p", 5, 2_000_005)
    assert read.duration_ms == 2
    (read,) = read_spans([{"name": "x", "attributes": {"a": 1}}])
    assert read.attributes == {"a": 1}


@pytest.mark.parametrize("value", [None, "x", 3, {}, [], [{}], {"spans": [{"id": 1}]}], ids=str)
def test_what_holds_no_spans(value: object) -> None:
    with pytest.raises(NotSpans, match="there are no spans"):
        read_spans(value)


def test_children_follow_their_parent_by_their_start() -> None:
    spans = [
        OtelSpan("late", span_id="c", parent_id="a", start_ns=30),
        OtelSpan("root", span_id="a", start_ns=10),
        OtelSpan("below", span_id="d", parent_id="b", start_ns=25),
        OtelSpan("early", span_id="b", parent_id="a", start_ns=20),
        OtelSpan("stray", span_id="e", parent_id="elsewhere", start_ns=5),
    ]
    named = [(each.name, depth) for each, depth in in_tree_order(spans)]
    assert named == [("stray", 0), ("root", 0), ("early", 1), ("below", 2), ("late", 1)]


def test_spans_in_a_circle_are_not_missing() -> None:
    spans = [OtelSpan("a", span_id="a", parent_id="b"), OtelSpan("b", span_id="b", parent_id="a")]
    assert {each.name for each, _ in in_tree_order(spans)} == {"a", "b"}


def test_a_failed_span_and_numbers_as_text() -> None:
    raw = {"name": "x", "status": {"code": 2}, "attributes": attributes({"n": "12", "t": ""})}
    (read,) = read_spans([raw])
    assert (read.error, read.number("missing", "n"), read.text("t", "n")) == ("error", 12, "12")
