"""Traces of OpenTelemetry, exports of Langfuse and chat logs: they replay as they were recorded."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmeval.api import Run
from llmeval.cli.import_command import langfuse, openai_logs, otlp
from llmeval.core.errors import SuiteError
from llmeval.core.records import Answer, Case, Usage
from tests.importers import traffic_samples as samples


def imported(
    command: Callable[..., int], source: Path, capsys: pytest.CaptureFixture[str], **options: Any
) -> tuple[dict[str, Any], dict[str, Answer], dict[str, Case]]:
    """What the command printed, and answers and cases of the run by their id."""
    out = source.parent
    assert command(source, out / "s", reports=out / "r", as_json=True, **options) == 0
    done = json.loads(capsys.readouterr().out)
    (path,) = done["runs"].values()
    directory = Run(path).directory
    answers = {answer.case_id: answer for answer in directory.answers()}
    return done, answers, {case.id: case for case in directory.cases()}


def written(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def test_a_trace_becomes_an_answer_with_its_parts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = written(tmp_path / "traces.json", samples.document(*samples.agent_trace()))
    _, answers, cases = imported(otlp, source, capsys)
    answer = answers["t1"]
    assert cases["t1"].messages[-1].content == "When does parcel 5 arrive?"
    assert answer.output == "Parcel 5 arrives in 3 days."
    assert answer.tool_calls == ({"name": "track", "arguments": {"id": 5}, "result": {"days": 3}},)
    assert answer.data == {"ids": ["kb-1", "kb-2"], "texts": ["Parcels take 3 days.", "Hi."]}
    assert answer.usage == Usage(200, 14)
    assert (answer.model, answer.latency_ms) == ("small-2", 900)
    assert answer.trace is not None
    steps = [
        (step.name, step.depth, step.start_ms, step.duration_ms) for step in answer.trace.steps
    ]
    assert steps == [
        ("invoke_agent", 0, 0, 900),
        ("chat 1", 1, 10, 190),
        ("execute_tool track", 1, 210, 190),
        ("retrieval", 1, 410, 40),
        ("chat 2", 1, 460, 430),
    ]
    assert "gen_ai.input.messages" not in answer.trace.steps[1].attributes


FLAT = {
    "gen_ai.prompt.0.role": "user",
    "gen_ai.prompt.0.content": "Ping",
    "gen_ai.completion.0.content": "Pong",
}
OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.content": "Ping",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": "Pong",
}
EVENTS = [
    {"name": "gen_ai.user.message", "attributes": samples.attributes({"content": "Ping"})},
    {
        "name": "gen_ai.choice",
        "attributes": samples.attributes({"message": json.dumps({"content": "Pong"})}),
    },
]


@pytest.mark.parametrize(
    ("values", "more"),
    [
        (samples.chat([samples.said("user", "Ping")], [samples.said("assistant", "Pong")]), {}),
        (FLAT, {}),
        (OPENINFERENCE, {}),
        ({"input.value": "Ping", "output.value": "Pong"}, {}),
        ({"gen_ai.operation.name": "chat"}, {"events": EVENTS}),
    ],
    ids=["GenAI", "OpenLLMetry", "OpenInference", "values", "events before 1.37"],
)
def test_instrumentations_write_messages_in_several_ways(
    values: dict[str, Any], more: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = samples.span("t", "call", 0, 50, values, **more)
    source = tmp_path / "traces.jsonl"
    source.write_text(json.dumps(samples.document(one)) + "\n", encoding="utf-8")
    _, answers, cases = imported(otlp, source, capsys)
    assert [message.content for message in cases["t"].messages] == ["Ping"]
    assert answers["t"].output == "Pong"


def test_a_failed_call_is_an_error_and_no_empty_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = samples.chat([samples.ASKED], [])
    status = {"code": "STATUS_CODE_ERROR", "message": "timed out"}
    failed = samples.span("t2", "chat", 0, 50, values, status=status)
    source = written(tmp_path / "t.json", samples.document(*samples.agent_trace(), failed))
    done, answers, _ = imported(otlp, source, capsys)
    assert answers["t2"].output is None
    assert answers["t2"].error is not None
    assert "timed out" in answers["t2"].error.message
    assert any("1 of 2 have no reply" in note for note in done["notes"])


def test_traces_without_contents_are_refused_with_what_to_set(tmp_path: Path) -> None:
    bare = samples.span("t", "chat", 0, 50, {"gen_ai.operation.name": "chat"})
    source = written(tmp_path / "t.json", samples.document(bare))
    with pytest.raises(SuiteError, match=r"trace t.*\n?.*CAPTURE_MESSAGE_CONTENT"):
        otlp(source, tmp_path / "s", replay=False)
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    "value",
    [{"resourceSpans": []}, {"spans": "x"}, [], {"hello": 1}],
    ids=["empty", "text", "list", "other"],
)
def test_a_file_without_spans_is_named(value: Any, tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"t\.json: there are no spans: expected OTLP-JSON"):
        otlp(written(tmp_path / "t.json", value), tmp_path / "s")


@pytest.mark.parametrize("form", ["data", "one", "download", "lines", "observations"])
def test_langfuse_exports(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = {
        key: value
        for key, value in samples.LANGFUSE.items()
        if key not in ("observations", "scores")
    }
    observations, scores = samples.LANGFUSE["observations"], samples.LANGFUSE["scores"]
    assert isinstance(observations, list)
    value: Any = {
        "data": {"data": [samples.LANGFUSE]},
        "one": samples.LANGFUSE,
        "download": {"trace": trace, "observations": observations, "scores": scores},
        "lines": samples.LANGFUSE,
        "observations": [
            {**trace, "scores": scores},
            *({**o, "traceId": "lf-1"} for o in observations),
        ],
    }[form]
    source = written(tmp_path / ("e.jsonl" if form == "lines" else "e.json"), value)
    done, answers, cases = imported(langfuse, source, capsys)
    answer = answers["lf-1"]
    assert cases["lf-1"].messages[-1].content == "Who paints fences?"
    assert cases["lf-1"].tags == {"eu": "yes"}
    assert answer.output == "Rita paints fences."
    assert answer.data == {"ids": ["d1"], "texts": ["Rita paints fences."]}
    assert answer.tool_calls == ({"name": "calendar", "arguments": {"day": 4}, "result": "free"},)
    assert (answer.latency_ms, answer.usage) == (1500, Usage(50, 5))
    (path,) = done["runs"].values()
    recorded = {
        score.metric: score.value for _, block in Run(path).directory.scores() for score in block
    }
    assert recorded["helpful"] == 1.0
    assert "stars" not in recorded
    assert any("'stars' is not a share of 1" in note for note in done["notes"])


def test_chat_logs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "chats.jsonl"
    source.write_text("\n".join(map(json.dumps, samples.CHATS)), encoding="utf-8")
    _, answers, cases = imported(openai_logs, source, capsys)
    assert [(m.role, m.content) for m in cases["plain"].messages] == [
        ("system", "Be kind."),
        ("user", "Hello"),
    ]
    assert answers["plain"].output == "Good day."
    assert answers["called"].tool_calls == ({"name": "add", "arguments": {"a": 1, "b": 2}},)
    assert (answers["called"].model, answers["called"].usage) == ("m-0611", Usage(9, 4))
    assert answers["batch"].output == "Yes."
    assert [m.content for m in cases["batch"].messages] == ["Be short.", "Say yes."]
    assert answers["lost"].error is not None
    assert "the server was busy" in answers["lost"].error.message


def test_what_can_not_be_replayed_is_named_by_its_line(tmp_path: Path) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:,x"}}
    lines: list[Any] = [
        samples.CHATS[0],
        {"messages": [{"role": "user", "content": [picture]}]},
        {"response": {"choices": []}},
        [1],
    ]
    source = tmp_path / "chats.jsonl"
    source.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    with pytest.raises(SuiteError) as raised:
        openai_logs(source, tmp_path / "s")
    text = str(raised.value)
    assert "chats.jsonl:2: holds image_url; only text can be replayed" in text
    assert "chats.jsonl:3: has no `messages`" in text
    assert "chats.jsonl:4: is not an object" in text
    assert openai_logs(source, tmp_path / "s", skip_unknown=True, replay=False, as_json=True) == 0


def second_trace() -> list[dict[str, Any]]:
    """The next turn of the agent's conversation: its messages repeat the earlier ones."""
    thanks = samples.said("user", "And parcel 6?")
    sent = [samples.ASKED, samples.CALLED, samples.RESULT, samples.ANSWERED, thanks]
    reply = samples.said("assistant", "Tomorrow.")
    values = samples.chat(sent, [reply], **{"gen_ai.conversation.id": "talk-1"})
    return [samples.span("t9", "chat", 5_000, 5_100, values)]


def test_traces_of_one_conversation_are_its_turns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = samples.agent_trace(**{"gen_ai.conversation.id": "talk-1"})
    source = written(tmp_path / "t.json", samples.document(*second_trace(), *first))
    _, answers, cases = imported(otlp, source, capsys)
    answer = answers["talk-1"]
    assert cases["talk-1"].fields["says"] == ["When does parcel 5 arrive?", "And parcel 6?"]
    assert [(turn.user, turn.output, len(turn.tool_calls)) for turn in answer.turns] == [
        ("When does parcel 5 arrive?", "Parcel 5 arrives in 3 days.", 1),
        ("And parcel 6?", "Tomorrow.", 0),
    ]
    assert [turn.latency_ms for turn in answer.turns] == [900, 100]
    traces = [turn.trace for turn in answer.turns]
    assert [len(trace.steps) for trace in traces if trace is not None] == [5, 1]
    assert (answer.output, answer.latency_ms) == ("Tomorrow.", 1000)


def test_a_session_of_langfuse_is_a_conversation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    traces = [
        {
            "id": name,
            "sessionId": "s1",
            "timestamp": f"2031-01-0{day}T00:00:00Z",
            "input": [{"role": "user", "content": text}],
            "output": {"role": "assistant", "content": reply},
            "scores": [{"name": "kind", "value": day / 2}],
        }
        for name, day, text, reply in (("b", 2, "Bye", "See you."), ("a", 1, "Hello", "Good day."))
    ]
    source = written(tmp_path / "session.json", {"traces": traces})
    done, answers, _ = imported(langfuse, source, capsys)
    turns = [(turn.user, turn.output) for turn in answers["s1"].turns]
    assert turns == [("Hello", "Good day."), ("Bye", "See you.")]
    (path,) = done["runs"].values()
    scores = [score for _, block in Run(path).directory.scores() for score in block]
    assert {score.metric: score.value for score in scores}["kind"] == 1.0


def test_a_chat_log_with_several_turns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = {"id": "c", "function": {"name": "clock", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "What time is it?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": '{"hour": 9}'},
        {"role": "assistant", "content": "Nine."},
        {"role": "user", "content": "Thanks."},
        {"role": "assistant", "content": "Of course."},
    ]
    source = written(tmp_path / "chat.json", [{"id": "x", "messages": messages}])
    _, answers, _ = imported(openai_logs, source, capsys)
    first, second = answers["x"].turns
    assert first.tool_calls == ({"name": "clock", "arguments": {}, "result": {"hour": 9}},)
    assert (first.output, second.user, second.output) == ("Nine.", "Thanks.", "Of course.")
