"""What endpoints send, and what becomes of it: an answer, a missing answer of the right kind, or
another attempt.
"""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmeval.core.errors import ModelError, Retryable, Unreadable
from llmeval.core.records import Usage
from llmeval.models.base import NoAnswer, Reply
from llmeval.models.client.http_client import Response
from llmeval.models.openai_replies import chat_reply, response_reply
from llmeval.models.reasoning import THINK
from llmeval.models.replies import usable
from tests.support.tables import each_row


def chat(
    content: Any = "Rome", finish: Any = "stop", message: Any = None, choice: Any = None, **top: Any
) -> bytes:
    """A chat completion as JSON."""
    said = {"role": "assistant", "content": content, **(message or {})}
    first = {"index": 0, "message": said, "finish_reason": finish, **(choice or {})}
    usage = {"prompt_tokens": 9, "completion_tokens": 4}
    return json.dumps({"model": "m-1", "choices": [first], "usage": usage, **top}).encode()


def responses(*output: Any, **top: Any) -> bytes:
    """A response of the responses API as JSON."""
    return json.dumps({"status": "completed", "output": output, "model": "m-1", **top}).encode()


SPOKEN = {"type": "message", "content": [{"type": "output_text", "text": "Rome"}]}


def read(body: bytes, api: str = "chat", **params: Any) -> Reply:
    reader = chat_reply if api == "chat" else response_reply
    return usable(reader("h", Response(body, "application/json", 1.0)), lambda: params, THINK)


def outcome(body: bytes, api: str = "chat", **params: Any) -> tuple[str, str]:
    """(`answer`, its text), or the error's class or kind and its message."""
    try:
        return "answer", read(body, api, **params).text
    except NoAnswer as error:
        return error.kind, str(error)
    except ModelError as error:
        return error.kind if error.kind == "blocked" else type(error).__name__, str(error)


FILTERED = {
    "content_filter_results": {
        "hate": {"filtered": False},
        "violence": {"filtered": True, "severity": "high"},
    }
}
CALL = {"type": "function", "function": {"name": "f", "arguments": "{}"}}
CUT = {"max_tokens": 64}


@each_row(
    ("body", "kind", "words"),
    [
        # the endpoint broke off: whatever text there is, is no answer
        (
            chat("", "error", choice={"error": {"code": 502, "message": "upstream gone"}}),
            "Retryable",
            "upstream gone",
        ),
        (
            chat("Ro", "error", choice={"error": {"code": 400, "message": "too long"}}),
            "RequestRefused",
            "too long",
        ),
        (chat("Ro", "error"), "Retryable", "finish_reason error"),
        (chat("Ro", "abort"), "Retryable", "finish_reason abort"),
        (chat("Ro", "insufficient_system_resource"), "Retryable", "insufficient_system_resource"),
        (
            b'{"error": {"message": "provider is down", "code": 503}}',
            "Retryable",
            "HTTP 503: provider is down",
        ),
        (b'{"error": {"message": "pay first", "code": 402}}', "ModelError", "HTTP 402: pay first"),
        (b'{"error": "model runner stopped"}', "Retryable", "model runner stopped"),
        (chat("Ro", "model_error"), "Retryable", "finish_reason model_error"),
        (chat("Ro", "timeout"), "Retryable", "finish_reason timeout"),
        (
            chat("Ro", "stop", error={"message": "tool died", "code": 500}),
            "ServerError",
            "tool died",
        ),
        (chat("Ro", "stop", error="tool died"), "Retryable", "tool died"),
        (chat("", "FINISH_REASON_OTHER"), "provider", "does not belong to an empty answer"),
        (chat("", "MALFORMED_FUNCTION_CALL"), "provider", "does not belong to an empty answer"),
        (
            chat("", "tool_calls", {"tool_calls": [None]}),
            "provider",
            "does not belong to an empty answer",
        ),
        (chat("", None), "ModelError", "neither content nor a finish reason"),
        (chat([{"type": "image_url", "image_url": {"url": "x"}}]), "provider", "only image_url"),
        (chat(None, message={"audio": {"transcript": "Rome"}}), "provider", "only audio"),
        # a filter withheld it
        (chat("", "stop", choice=FILTERED), "blocked", "violence"),
        (chat("", "FINISH_REASON_SAFETY"), "blocked", "content filter"),
        (chat("", "content-filter"), "blocked", "content filter"),
        (chat(None, "content_filter"), "blocked", "finish_reason content_filter"),
        (chat("", "content_filter", choice=FILTERED), "blocked", "violence"),
        (chat("", "PROHIBITED_CONTENT"), "blocked", "content filter"),
        (chat("", "content_filter: SAFETY"), "blocked", "content filter"),
        (
            b'{"error": {"code": "content_filter", "message": "not about that"}}',
            "blocked",
            "not about that",
        ),
        (
            chat("Ro", "error", choice={"error": {"code": "content_filter", "message": "no"}}),
            "blocked",
            "no",
        ),
        # it ended before the answer began
        (
            chat("", message={"reasoning_content": "Rome it is"}),
            "truncated",
            "went into reasoning (finish_reason stop)",
        ),
        (
            chat(None, "length", {"reasoning": "Rome it"}),
            "truncated",
            "raise max_tokens: all 64 tokens went into reasoning",
        ),
        (
            chat("<think>Rome it", "length"),
            "truncated",
            "raise max_tokens: all 64 tokens went into reasoning",
        ),
        (chat("<think>Rome it is", "stop"), "truncated", "went into reasoning"),
        (chat("<think>Rome</think>\n", "stop"), "truncated", "went into reasoning"),
        (chat(None, "MAX_TOKENS"), "truncated", "cut off before its first word"),
        (
            chat(
                "",
                usage={
                    "completion_tokens": 7,
                    "completion_tokens_details": {"reasoning_tokens": 7},
                },
            ),
            "truncated",
            "all 7 tokens",
        ),
        (chat(None, "LENGTH"), "truncated", "cut off before its first word"),
        (
            chat("", message={"reasoning_details": [{"type": "reasoning.text", "text": "Rome"}]}),
            "truncated",
            "reasoning",
        ),
        # an answer, though a short one
        (chat("", "STOP"), "answer", ""),
        (chat("Rome", error={"code": None, "message": ""}), "answer", "Rome"),
        (chat("Rome", error=False), "answer", "Rome"),
        (chat("Ro", "OTHER"), "answer", "Ro"),
        (chat("", "stop"), "answer", ""),
        (chat("Ro", "length"), "answer", "Ro"),
        (chat("Ro", "content_filter"), "answer", "Ro"),
        (chat(None, "tool_calls", {"tool_calls": [CALL]}), "answer", ""),
        (chat(None, "stop", {"refusal": "I can't say."}), "answer", "I can't say."),
        (
            chat(
                "",
                usage={
                    "completion_tokens": 7,
                    "completion_tokens_details": {"reasoning_tokens": 5},
                },
            ),
            "answer",
            "",
        ),
        # JSON of another shape: the same would come again
        (b"[1, 2]", "ModelError", "does not follow the API"),
        (b'{"choices": []}', "ModelError", "does not follow the API"),
        (b'{"choices": null}', "ModelError", "does not follow the API"),
        (b'{"choices": [{"finish_reason": "stop"}]}', "ModelError", "no message"),
        (
            b'{"object": "error", "message": "no such model", "code": 404}',
            "ModelError",
            "no such model",
        ),
        (chat({"a": 1}), "ModelError", "not text"),
        (chat(3.5), "ModelError", "not text"),
        (chat(None, None), "ModelError", "neither content nor a finish reason"),
        (b"[" * 100_000, "ModelError", "nested too deeply"),
        (
            b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b', "choices": []}',
            "ModelError",
            "nested too deeply",
        ),
        (
            b"<!doctype html><title>Sign in</title>",
            "ModelError",
            "a web page (application/json), not JSON: Sign in",
        ),
        # no JSON: worth one more attempt
        (b"", "Unreadable", "empty"),
        (b"  \n", "Unreadable", "empty"),
        (b'{"choices": [', "Unreadable", "not JSON"),
        (b"Service warming up", "Unreadable", "Service warming up"),
        (
            chat("Bl\u00e9").replace(b"\\u00e9", b"\xe9"),
            "Unreadable",
            "not UTF-8, as JSON must be: byte 0xe9",
        ),
    ],
)
def test_chat_completions(body: bytes, kind: str, words: str) -> None:
    found, message = outcome(body, **CUT)
    assert found == kind
    assert words in message if kind != "answer" else words == message


@each_row(
    ("body", "kind", "words"),
    [
        (responses(SPOKEN), "answer", "Rome"),
        (
            responses({"type": "reasoning", "summary": [], "content": None}, SPOKEN),
            "answer",
            "Rome",
        ),
        (responses({"type": "web_search_call", "name": None}, None, SPOKEN), "answer", "Rome"),
        (
            responses(
                {
                    "type": "message",
                    "content": [{"type": "refusal", "refusal": "No.", "text": None}],
                }
            ),
            "answer",
            "No.",
        ),
        (
            responses(status="failed", error={"code": "server_error", "message": "it broke"}),
            "Retryable",
            "it broke",
        ),
        (
            responses(status="failed", error={"code": "content_filter", "message": "no"}),
            "blocked",
            "no",
        ),
        (responses(SPOKEN, status="cancelled"), "Retryable", "status cancelled"),
        (responses(status="queued"), "Retryable", "status queued"),
        (responses(status="in_progress"), "Retryable", "status in_progress"),
        (
            responses(status="incomplete", incomplete_details={"reason": "content_filter"}),
            "blocked",
            "content filter",
        ),
        (
            responses(
                {"type": "reasoning", "summary": [{"text": "hm"}]},
                status="incomplete",
                incomplete_details={"reason": "max_output_tokens"},
            ),
            "truncated",
            "all 64 tokens",
        ),
        (
            responses(SPOKEN, error={"code": "server_error", "message": "it broke"}),
            "Retryable",
            "it broke",
        ),
        (responses(SPOKEN, status="FAILED"), "Retryable", "status FAILED"),
        (responses(status="incomplete"), "provider", "finish_reason incomplete"),
        (responses({"type": "reasoning", "summary": []}), "truncated", "only reasoning"),
        (responses({"type": "web_search_call"}), "provider", "only web_search_call"),
        (responses(), "provider", "no message"),
        (responses({"type": "message", "content": "Rome"}), "answer", "Rome"),
        (b'{"object": "response"}', "ModelError", "no 'output'"),
    ],
)
def test_responses(body: bytes, kind: str, words: str) -> None:
    found, message = outcome(body, "responses", max_output_tokens=64)
    assert found == kind
    assert words in message


def test_a_limit_is_named_by_the_suites_own_parameter() -> None:
    assert (
        "raise max_completion_tokens: all 9 tokens"
        in outcome(chat("<think>", "length"), max_completion_tokens=9)[1]
    )
    assert "set a higher max_tokens: all 4 tokens" in outcome(chat("<think>", "length"))[1]


@each_row(
    ("body", "field", "value"),
    [
        (chat(usage={"prompt_tokens": 10.0, "completion_tokens": "5"}), "usage", Usage(10, 5)),
        (chat(usage={"prompt_tokens": 10.5, "completion_tokens": -5}), "usage", Usage(None, None)),
        (
            chat(usage={"prompt_tokens": True, "completion_tokens": 10**30}),
            "usage",
            Usage(None, None),
        ),
        (chat(usage=[1]), "usage", None),
        (chat(finish=1), "finish_reason", None),
        (chat(finish="max_tokens"), "finish_reason", "length"),
        (chat(system_fingerprint=123), "fingerprint", "123"),
        (chat(model=None), "model", None),
        (chat(model={"name": "x"}), "model", None),
        (chat(choice={"logprobs": []}), "logprobs", None),
        (chat(choice={"logprobs": {"tokens": ["R"]}}), "logprobs", None),
        (
            chat(choice={"logprobs": {"content": [{"token": "R", "logprob": float("nan")}]}}),
            "logprobs",
            None,
        ),
        (
            chat(
                choice={
                    "logprobs": {
                        "content": [{"token": "R", "logprob": float("-inf"), "top_logprobs": []}]
                    }
                }
            ),
            "logprobs",
            [{"token": "R", "logprob": -9999.0, "top_logprobs": []}],
        ),
        (
            chat([{"type": "text", "text": None}, {"type": "text", "text": "Ro"}, "me"]),
            "text",
            "Rome",
        ),
        (
            chat([{"type": "thinking", "thinking": [{"text": "hm"}]}, {"text": "Rome"}]),
            "reasoning",
            "hm",
        ),
        (chat("<think>a</think>Rome", message={"reasoning": "b"}), "reasoning", "b\n\na"),
        (chat(message={"tool_calls": "none", "function_call": None}), "tool_calls", ()),
        (
            chat(message={"tool_calls": [None, {"custom": {"name": "c", "input": "x"}}]}),
            "tool_calls",
            ({"name": "c", "arguments": "x"},),
        ),
        (
            chat(message={"function_call": {"name": "old", "arguments": "{}"}}),
            "tool_calls",
            ({"name": "old", "arguments": "{}"},),
        ),
        (b"\xef\xbb\xbf" + chat(), "text", "Rome"),
        (b": WAITING\n\n: STILL WAITING\n\n" + chat(), "text", "Rome"),
        (b"\n  \n" + chat(), "text", "Rome"),
        (chat("Ro\ud83dme"), "text", "Ro\ufffdme"),
        (
            chat(
                message={
                    "tool_calls": [
                        {"function": {"name": "f", "arguments": {"k\ud83d": ["\udc00"]}}}
                    ]
                }
            ),
            "tool_calls",
            ({"name": "f", "arguments": {"k\ufffd": ["\ufffd"]}},),
        ),
        (chat(finish="\ud800"), "finish_reason", "\ufffd"),
    ],
)
def test_metadata_is_read_where_it_can_be(body: bytes, field: str, value: Any) -> None:
    reply = read(body)
    assert getattr(reply, field) == value
    assert "Ro" in reply.text
    msgspec.json.encode(reply)


def stream(*events: Any, end: str = "data: [DONE]\n\n") -> bytes:
    return ("".join(f"data: {json.dumps(event)}\n\n" for event in events) + end).encode()


def delta(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"model": "m-1", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def calls(index: int, **function: Any) -> dict[str, Any]:
    return delta(tool_calls=[{"index": index, "function": function}])


ROME = (delta(role="assistant", content="Ro"), delta(content="me"))


@each_row(
    ("body", "kind", "words"),
    [
        (stream(*ROME, delta("stop")), "answer", "Rome"),
        (stream(*ROME), "answer", "Rome"),
        (stream(*ROME, delta("stop"), end=""), "answer", "Rome"),
        (stream(*ROME).replace(b"\n", b"\r\n"), "answer", "Rome"),
        (b": hello\n\n" + stream(*ROME), "answer", "Rome"),
        (b"event: message\n" + stream(*ROME), "answer", "Rome"),
        (stream(*ROME, end=""), "Unreadable", "ended before the reply did"),
        (
            stream(delta(content="Ro"), {"error": {"code": 502, "message": "gone"}}),
            "Retryable",
            "gone",
        ),
        (b'event: error\ndata: {"type": "error", "message": "gone"}\n\n', "Retryable", "gone"),
        (
            stream(delta(reasoning_content="hm"), delta("length")),
            "truncated",
            "went into reasoning",
        ),
        (stream(delta("content_filter")), "blocked", "content filter"),
        (b"data: {broken\n\n", "Unreadable", "not JSON"),
        (stream(), "ModelError", "neither content nor a finish reason"),
    ],
)
def test_event_streams(body: bytes, kind: str, words: str) -> None:
    found, message = outcome(body)
    assert found == kind
    assert words in message


def test_a_stream_brings_everything_that_a_reply_does() -> None:
    body = stream(
        delta(reasoning="It "),
        delta(reasoning="is"),
        calls(0, name="f", arguments='{"a"'),
        calls(0, arguments=": 1}"),
        calls(1, name="g", arguments="{}"),
        {"choices": [{"index": 1, "delta": {"content": "another"}}]},
        {**delta("tool_calls", content="Rome"), "system_fingerprint": "fp"},
        {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}},
    )
    reply = read(body)
    assert (reply.text, reply.reasoning, reply.finish_reason) == ("Rome", "It is", "tool_calls")
    assert reply.tool_calls == (
        {"name": "f", "arguments": '{"a": 1}'},
        {"name": "g", "arguments": "{}"},
    )
    assert (reply.usage, reply.model, reply.fingerprint) == (Usage(3, 2), "m-1", "fp")


def test_events_of_the_responses_api() -> None:
    whole = json.loads(responses(SPOKEN))
    begun = {"type": "response.created", "response": {"status": "in_progress", "output": []}}
    assert outcome(
        stream(begun, {"type": "response.completed", "response": whole}), "responses"
    ) == ("answer", "Rome")
    failed = {
        "type": "response.failed",
        "response": {"status": "failed", "error": {"message": "gone"}},
    }
    assert outcome(stream(begun, failed), "responses")[0] == "Retryable"
    assert outcome(stream(begun), "responses")[0] == "Unreadable"


def test_what_came_instead_of_an_answer_is_kept() -> None:
    with pytest.raises(NoAnswer) as caught:
        read(chat("<think>hm", "length"))
    assert (caught.value.reply.reasoning, caught.value.reply.usage) == ("hm", Usage(9, 4))
    assert Unreadable.most_attempts == 2


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["stop", "length", "\ud83d"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in a JSON document."""
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path, *(place for key, inner in items for place in places(inner, (*path, key)))]


def changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The document with another value at a path."""
    if not path:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[path[0]] = changed(document[path[0]], path[1:], value)
    return copy


RICH = json.loads(
    chat(
        message={"tool_calls": [CALL], "reasoning": "hm"},
        choice={
            **FILTERED,
            "logprobs": {
                "content": [{"token": "R", "logprob": -1, "top_logprobs": [{"token": "R"}]}]
            },
        },
        system_fingerprint="fp",
    )
)
RICH_RESPONSE = json.loads(
    responses(
        {"type": "reasoning", "summary": [{"text": "hm"}]},
        {**SPOKEN, "name": "x"},
        incomplete_details={"reason": "x"},
    )
)


@pytest.mark.parametrize(("document", "api"), [(RICH, "chat"), (RICH_RESPONSE, "responses")])
def test_any_value_in_any_place_is_an_answer_or_an_error_of_a_model(
    document: Any, api: str
) -> None:
    every = places(document)

    @given(place=st.sampled_from(every), value=VALUES, cut=st.integers(0, 400))
    def check(place: tuple[Any, ...], value: Any, cut: int) -> None:
        body = json.dumps(changed(document, place, value)).encode()
        for data in (
            body,
            body[:cut],
            body[:cut] + b"\xff" + body[cut:],
            b"data: " + body + b"\n\ndata: [DONE]\n\n",
        ):
            try:
                msgspec.json.encode(read(data, api))
            except ModelError as error:
                assert len(str(error)) < 1000

    check()


def test_errors_are_told_apart_by_what_to_do_next() -> None:
    assert issubclass(Unreadable, Retryable)
    assert not issubclass(NoAnswer, Retryable)
