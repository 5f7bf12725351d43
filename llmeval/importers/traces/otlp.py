"""Traces of OpenTelemetry (OTLP-JSON), by its semantic conventions for generative AI.

A trace is one answer: the last message of a user in it, the last reply, and what happened between.
Traces with the same `gen_ai.conversation.id` (or `session.id`) are the turns of one conversation.

Source: opentelemetry.io/docs/specs/semconv/gen-ai.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from llmeval.core.errors import SuiteError
from llmeval.core.otel_spans import NotSpans, OtelSpan, read_spans
from llmeval.data.traces.exchange import AGENTS, CONVERSATION, exchange_of, operation
from llmeval.data.traces.logged_messages import json_or_text, read_turns
from llmeval.importers.ledger import Ledger, SourcePlace, UnmappedError
from llmeval.importers.reading import read_json, read_lines
from llmeval.importers.traces.recorded_traffic import (
    RecordedCall,
    RecordedConversation,
    RecordedPassages,
    RecordedTurn,
)
from llmeval.suite.yaml_file import Document

_LONG = (
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "gen_ai.prompt",
    "gen_ai.completion",
    "llm.",
    "input.value",
    "output.value",
)
"""Attributes that the case and its answer hold already."""


def read_otlp(path: Path, ledger: Ledger) -> list[RecordedConversation]:
    """The conversations in a file, or in every .json and .jsonl file of a folder.

    Raises:
        SuiteError: a file can't be read or has no spans; no file is there.
    """
    files = [path]
    if path.is_dir():
        files = sorted(each for each in path.iterdir() if each.suffix in (".json", ".jsonl"))
        if not files:
            raise SuiteError(f"{path}: there is no .json or .jsonl file in this folder")
    spans = [span for file in files for span in _spans(file)]
    traces: dict[str, list[OtelSpan]] = {}
    for number, span in enumerate(spans):
        traces.setdefault(span.trace_id or f"trace-{number}", []).append(span)
    parts = []
    for identifier, group in traces.items():
        place = SourcePlace(Document(f"{path}: trace {identifier}", None, {}))
        with ledger.trying(place):
            parts.append(_conversation(identifier, group))
    return joined(parts)


def _spans(file: Path) -> list[OtelSpan]:
    """The spans of a file: one document, or one on each line (the file exporter of the
    Collector).
    """
    try:
        if file.suffix == ".jsonl":
            return read_spans([place.value for place in read_lines(file)])
        return read_spans(read_json(file).value)
    except NotSpans as error:
        raise SuiteError(f"{file}: {error}") from None


def _conversation(identifier: str, spans: list[OtelSpan]) -> RecordedConversation:
    """The turns of one trace, and the conversation that it belongs to as the id."""
    sent, replied, model = exchange_of(spans)
    system, turns = read_turns([*sent, *replied])
    if not turns:
        raise UnmappedError(
            "records no message of a user. Instrumentations leave contents out by default; set"
            " OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT, or the option of yours"
        )
    _complete(turns[-1], spans)
    named = next((text for span in spans if (text := span.text(*CONVERSATION))), "")
    return RecordedConversation(named or identifier, turns, system, model=model)


def _complete(turn: RecordedTurn, spans: Sequence[OtelSpan]) -> None:
    """Add what the spans record next to the messages: tools, passages, tokens, time, errors."""
    tools = [call for span in spans if (call := _tool(span)) is not None]
    if tools:
        turn.calls = tools
    for span in spans:
        _add_passages(span, turn.passages)
    models = [span for span in spans if operation(span) not in AGENTS]
    turn.input_tokens = _sum(
        span.number("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens") for span in models
    )
    turn.output_tokens = _sum(
        span.number("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens")
        for span in models
    )
    starts = [span.start_ns for span in spans if span.start_ns]
    if starts:
        turn.latency_ms = max(0.0, (max(span.end_ns for span in spans) - min(starts)) / 1e6)
    turn.trace = [_written(span) for span in spans]
    if turn.output is None:
        turn.error = next((span.error for span in spans if span.error), "")


def _sum(counts: Iterable[float | None]) -> int | None:
    counts_known = [int(count) for count in counts if count is not None]
    return sum(counts_known) if counts_known else None


def _tool(span: OtelSpan) -> RecordedCall | None:
    """The call of a span that runs a tool."""
    is_tool = operation(span) == "execute_tool" or (
        span.text("openinference.span.kind").upper() == "TOOL"
    )
    if not is_tool:
        return None
    arguments = span.text("gen_ai.tool.call.arguments", "tool.parameters", "input.value")
    stated = span.attributes.get("gen_ai.tool.call.arguments")
    result = span.attributes.get("gen_ai.tool.call.result", span.attributes.get("output.value"))
    return RecordedCall(
        span.text("gen_ai.tool.name", "tool.name") or span.name.removeprefix("execute_tool "),
        json_or_text(arguments) if arguments else stated,
        json_or_text(result),
        span.text("gen_ai.tool.call.id"),
    )


def _add_passages(span: OtelSpan, passages: RecordedPassages) -> None:
    listed = json_or_text(span.attributes.get("gen_ai.retrieval.documents"))
    for document in listed if isinstance(listed, list) else ():
        if isinstance(document, dict):
            text = document.get("content", document.get("text"))
            passages.add(document.get("id"), text)
    number = 0
    while f"retrieval.documents.{number}.document.content" in span.attributes:
        name = f"retrieval.documents.{number}.document"
        passages.add(span.attributes.get(f"{name}.id"), span.attributes[f"{name}.content"])
        number += 1


def _written(span: OtelSpan) -> dict[str, object]:
    """A span for the row of the answer, without the messages."""
    written: dict[str, object] = {
        "name": span.name,
        "spanId": span.span_id,
        "parentSpanId": span.parent_id,
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": str(span.end_ns),
        "attributes": {
            name: value for name, value in span.attributes.items() if not name.startswith(_LONG)
        },
    }
    return {**written, "status": {"code": 2, "message": span.error}} if span.error else written


def joined(parts: Iterable[RecordedConversation]) -> list[RecordedConversation]:
    """Parts of the same conversation as one. Of a later part only the last turn is new: its
    messages repeat the earlier ones.
    """
    conversations: dict[str, RecordedConversation] = {}
    for part in parts:
        first = conversations.setdefault(part.id, part)
        if first is not part:
            first.turns.append(part.turns[-1])
            first.scores = part.scores or first.scores
    return list(conversations.values())
