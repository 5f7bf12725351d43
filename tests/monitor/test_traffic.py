"""The traffic source: which lines are drawn, what is set aside, what is stored."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from llmeval.core.errors import SuiteError, UsageError
from llmeval.monitor.redacting import redacted_text
from llmeval.monitor.traffic import SamplingTerms, is_drawn, sample_traffic, sampled_rows
from llmeval.monitor.traffic_row import TrafficRow, Unusable, read_time
from llmeval.suite.loader import load_suite
from tests.support.tables import each_row
from tests.support.traffic import write_monitored

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)
DAY = "2026-03-01"


def line(**more: Any) -> dict[str, Any]:
    return {"trace_id": "t1", "time": f"{DAY}T10:00:00Z", "input": "Hi?", "output": "ok", **more}


def drawn(tmp_path: Path, *lines: object, **terms: Any) -> tuple[dict[str, int], list[TrafficRow]]:
    """(what was set aside, the rows of the first of March)."""
    (tmp_path / "traffic.jsonl").write_text(
        "".join((each if isinstance(each, str) else json.dumps(each)) + "\n" for each in lines)
    )
    out = tmp_path / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    stated = SamplingTerms(**{"rate": 1.0, "now": NOW, **terms})
    sample = sample_traffic(tmp_path / "traffic.jsonl", stated, out)
    rows = out / f"{DAY}.jsonl"
    return dict(sample.set_aside), list(sampled_rows(rows)) if rows.exists() else []


@each_row(
    "value, reason",
    [
        ("{broken", "not JSON"),
        ("[1]", "not an object"),
        (line(trace_id=None), "no trace id"),
        (line(trace_id="  "), "no trace id"),
        (line(time=None), "no readable time"),
        (line(time="yesterday"), "no readable time"),
        (line(time="2027-01-01T00:00:00Z"), "a time in the future"),
        (line(time="2026-03-03T01:00:00Z"), "of today, which is not over"),
        (line(input=""), "no message of a user"),
        (
            line(input=None, messages=[{"role": "user", "content": [{"type": "image_url"}]}]),
            "a message holds image_url; only text can be replayed",
        ),
    ],
)
def test_unusable_lines_are_set_aside_and_counted(
    tmp_path: Path, value: object, reason: str
) -> None:
    aside, rows = drawn(tmp_path, value, line())
    assert aside == {reason: 1}
    assert [row.id for row in rows] == ["t1"]


def test_a_trace_id_counts_once(tmp_path: Path) -> None:
    aside, rows = drawn(tmp_path, line(), line(output="other"))
    assert aside == {"a trace id that occurred before": 1}
    assert rows[0].answer["output"] == "ok"


@each_row(
    "value, hour",
    [
        ("2026-03-01T10:00:00", 10),
        ("2026-03-01T10:00:00+02:00", 8),
        (1772359200, 10),
        (1772359200000, 10),
        ("1772359200000000000", 10),
    ],
)
def test_times_are_utc(value: object, hour: int) -> None:
    assert read_time(value) == datetime(2026, 3, 1, hour, tzinfo=UTC)


@each_row("value", [True, "nan", "inf", {}, [], "2026-13-01", 1e300])
def test_impossible_times_are_refused(value: object) -> None:
    with pytest.raises(Unusable):
        read_time(value)


def test_the_sample_follows_from_the_trace_ids_alone() -> None:
    ids = [f"trace-{number}" for number in range(4000)]
    small = {each for each in ids if is_drawn(each, 0.1)}
    assert 320 < len(small) < 480
    assert small < {each for each in ids if is_drawn(each, 0.2)}
    assert all(is_drawn(each, 1.0) for each in ids)


def test_what_an_answer_keeps(tmp_path: Path) -> None:
    stated = line(
        session="person@example.com",
        tags={"topic": "law"},
        data={"n": 1},
        payload={"x": ["a", "b"]},
    )
    _, (row,) = drawn(tmp_path, stated, mapped={"choice": "payload.x.1"})
    assert row.case["choice"] == "b" and row.case["tags"] == {"topic": "law"}
    assert row.case["messages"] == [{"role": "user", "content": "Hi?"}]
    assert len(str(row.case["cluster"])) == 16 and "person" not in str(row.case)
    assert row.answer == {"id": "t1", "output": "ok", "data": {"n": 1}}


@each_row("more", [{"error": "timeout"}, {"output": None}])
def test_a_missing_answer_is_an_error(tmp_path: Path, more: dict[str, Any]) -> None:
    _, (row,) = drawn(tmp_path, line(**more))
    assert row.answer["output"] is None and row.answer["error"]


def test_spans_of_a_trace_may_stand_in_several_lines(tmp_path: Path) -> None:
    def spans(**own: Any) -> dict[str, Any]:
        base = {"traceId": "t9", "startTimeUnixNano": "1772359200000000000", "name": "chat"}
        return {"resourceSpans": [{"scopeSpans": [{"spans": [{**base, **own}]}]}]}

    said = {
        "gen_ai.operation.name": "chat",
        "gen_ai.conversation.id": "c1",
        "topic": "law",
        "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "Hi?"}]}]',
        "gen_ai.output.messages": '[{"role": "assistant", "parts": [{"type": "text", "content": "ok"}]}]',
    }
    aside, (row,) = drawn(
        tmp_path,
        spans(spanId="1", name="server"),
        spans(spanId="2", parentSpanId="1", attributes=said),
        {"resourceSpans": []},
        tags=("topic",),
    )
    assert aside == {"no spans": 1}
    assert (row.id, row.answer["output"], row.case["question"]) == ("t9", "ok", "Hi?")
    assert row.case["tags"] == {"topic": "law"} and row.case["cluster"]


@each_row(
    "text, kept",
    [
        ("write to ann.lee@example.com now", "write to [e-mail address] now"),
        ("card 4111 1111 1111 1111.", "card [card number]."),
        ("call +44 20 7946 0958", "call [phone number]"),
        ("order 4711 of 2026-03-01", "order 4711 of 2026-03-01"),
        (
            "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\nbye",
            "[private key]\nbye",
        ),
        ("-----BEGIN PRIVATE KEY-----\nabc", "[private key]"),
    ],
)
def test_personal_data_is_replaced(text: str, kept: str) -> None:
    assert redacted_text(text) == kept


def test_nothing_personal_reaches_the_disk(tmp_path: Path) -> None:
    many = " ".join(f"p{number}@example.com" for number in range(300))
    drawn(tmp_path, line(input=many, data={"mail": "x@example.com"}, tags={"who": "y@example.com"}))
    assert "@example.com" not in (tmp_path / "out" / f"{DAY}.jsonl").read_text()


@each_row(
    "monitor, message",
    [
        ("metrics: [politeness]", "no check or judge scores 'politeness'"),
        ("metrics: []", "this is empty"),
        ("metrics: [polite], slices: [law]", "a tag with a value"),
        ("metrics: [polite], rate: 0", "greater than 0"),
        ("metrics: [polite, polite]", "stands here twice"),
        ("metrics: [no_pii]", "would always pass"),
        ("metrics: [polite], speed: 1", "unknown key 'speed'"),
    ],
)
def test_a_wrong_monitor_is_refused_with_its_line(
    tmp_path: Path, monitor: str, message: str
) -> None:
    from llmeval.api.traffic_suite import monitor_of

    path = write_monitored(tmp_path, monitor)
    path.write_text(path.read_text().replace("checks:\n", "checks:\n  - no_pii\n"))
    with pytest.raises(SuiteError, match=message) as error:
        monitor_of(load_suite(path))
    assert "suite.yaml:9" in str(error.value)


def test_a_source_that_is_not_there_is_refused(tmp_path: Path) -> None:
    terms = SamplingTerms(1.0, NOW)
    for source in (tmp_path / "none", tmp_path):
        with pytest.raises(UsageError, match=str(source)):
            sample_traffic(source, terms, tmp_path)
