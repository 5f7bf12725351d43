"""Exports of Langfuse: traces with their observations and scores, as JSON or JSONL.

Read are downloads of a trace (`{trace, observations, scores}`), of a session (`{traces}`), traces
of the public API (`{data: [...]}`, with `observations`), and lists of observations, which are
grouped by their `traceId`. Traces of the same session are the turns of one conversation.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from llmeval.core.errors import SuiteError
from llmeval.core.otel_spans import as_number
from llmeval.data.traces.logged_messages import content_text, json_or_text, read_turns
from llmeval.importers.ledger import Ledger, SourcePlace, UnmappedError
from llmeval.importers.reading import read_json, read_lines
from llmeval.importers.recorded.suites import ToolScore, share
from llmeval.importers.traces.otlp import joined
from llmeval.importers.traces.recorded_traffic import (
    RecordedCall,
    RecordedConversation,
    RecordedTurn,
)
from llmeval.suite.yaml_file import Document

Record = Mapping[str, object]

_QUESTIONS = ("question", "input", "query", "prompt", "message", "text", "content")
_ANSWERS = ("answer", "output", "response", "reply", "content", "text", "result", "completion")


def read_langfuse(path: Path, ledger: Ledger) -> list[RecordedConversation]:
    """The conversations of an export, or of all .json and .jsonl files of a folder.

    Raises:
        SuiteError: a file can't be read, or holds neither traces nor observations.
    """
    files = [path]
    if path.is_dir():
        files = sorted(each for each in path.iterdir() if each.suffix in (".json", ".jsonl"))
    traces: dict[str, dict[str, object]] = {}
    for file in files:
        for record in _records(file):
            _add(traces, record)
    if not traces:
        raise SuiteError(f"{path}: there are no traces or observations of Langfuse")
    parts = []
    for identifier, trace in sorted(traces.items(), key=lambda item: _begin(item[1])):
        place = SourcePlace(Document(f"{path}: trace {identifier}", None, {}))
        with ledger.trying(place):
            parts.append(_conversation(identifier, trace, place, ledger))
    return joined(parts)


def _records(file: Path) -> Iterable[Record]:
    places = read_lines(file) if file.suffix == ".jsonl" else [read_json(file)]
    for place in places:
        yield from _flat(place.value)


def _flat(value: object) -> Iterable[Record]:
    """Traces and observations in whatever holds them."""
    if isinstance(value, list):
        for item in value:
            yield from _flat(item)
    elif isinstance(value, Mapping):
        trace = value.get("trace")
        below = [value[key] for key in ("data", "traces") if isinstance(value.get(key), list)]
        if isinstance(trace, Mapping):
            more = {key: value[key] for key in ("observations", "scores") if key in value}
            yield {**trace, **more}
        elif below:
            for each in below:
                yield from _flat(each)
        else:
            yield value


def _add(traces: dict[str, dict[str, object]], record: Record) -> None:
    """A trace, or an observation of one."""
    owner = record.get("traceId", record.get("trace_id"))
    if owner:
        trace = traces.setdefault(str(owner), {})
        kind = "scores" if "dataType" in record and "value" in record else "observations"
        trace[kind] = [*_list(trace.get(kind)), record]
        for key in ("sessionId", "session_id"):
            if record.get(key):
                trace.setdefault(key, record[key])
    elif record.get("id"):
        own = traces.setdefault(str(record["id"]), {})
        own.update({key: value for key, value in record.items() if value not in (None, [])})


def _conversation(
    identifier: str, trace: Record, place: SourcePlace, ledger: Ledger
) -> RecordedConversation:
    observations = sorted(
        (each for each in _list(trace.get("observations")) if isinstance(each, Mapping)),
        key=_begin,
    )
    generations = [each for each in observations if _kind(each) == "GENERATION"]
    ids = {each.get("id") for each in observations}
    roots = [each for each in observations if each.get("parentObservationId") not in ids]
    sources = [trace, *roots[:1], *generations[-1:]]
    system, turns = _turns(sources)
    turn = turns[-1]
    tools = [_tool(each) for each in observations if _kind(each) == "TOOL"]
    turn.calls = tools or turn.calls
    for each in observations:
        if _kind(each) == "RETRIEVER":
            _add_passages(each, turn)
    turn.input_tokens = _tokens(generations, "input", "promptTokens")
    turn.output_tokens = _tokens(generations, "output", "completionTokens")
    turn.latency_ms = _latency(trace, observations)
    if turn.output is None:
        failed = (each.get("statusMessage") for each in observations)
        turn.error = next((str(message) for message in failed if message), "")
    session = trace.get("sessionId", trace.get("session_id"))
    return RecordedConversation(
        str(session or identifier),
        turns,
        system,
        model=next((str(each["model"]) for each in generations if each.get("model")), ""),
        tags={str(tag)[:40]: "yes" for tag in _list(trace.get("tags"))},
        scores=_scores(trace, place, ledger),
    )


def _turns(sources: Iterable[Record]) -> tuple[str, list[RecordedTurn]]:
    """The turns by the first of these records that has an input and an output, else an input.

    Raises:
        UnmappedError: none has an input with a text.
    """
    best: tuple[str, list[RecordedTurn]] | None = None
    for source in sources:
        messages = [*_sent(source.get("input")), *_replied(source.get("output"))]
        system, turns = read_turns(messages)
        if turns and (turns[-1].output is not None or turns[-1].calls):
            return system, turns
        best = best or ((system, turns) if turns else None)
    if best is None:
        raise UnmappedError("has no input with a text of a user")
    return best


def _sent(value: object) -> list[object]:
    """An input as messages."""
    value = json_or_text(value)
    if isinstance(value, list) and all(isinstance(item, Mapping) for item in value):
        return value
    if isinstance(value, Mapping) and isinstance(value.get("messages"), list):
        return list(value["messages"])
    text = _text(value, _QUESTIONS)
    return [{"role": "user", "content": text}] if text else []


def _replied(value: object) -> list[object]:
    """An output as messages of the assistant."""
    value = json_or_text(value)
    if isinstance(value, Mapping) and ("tool_calls" in value or "role" in value):
        return [{**value, "role": "assistant"}]
    if isinstance(value, Mapping) and isinstance(value.get("messages"), list):
        return list(value["messages"])[-1:]
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        return [{"role": "assistant", **item} for item in value]
    text = _text(value, _ANSWERS)
    return [{"role": "assistant", "content": text}] if text else []


def _text(value: object, names: Iterable[str]) -> str:
    """The text of a value: itself, or that of its only or its most likely field; else JSON."""
    if isinstance(value, Mapping):
        texts = [item for item in value.values() if isinstance(item, str)]
        likely = [value[name] for name in names if isinstance(value.get(name), str)]
        value = likely[0] if likely else texts[0] if len(value) == len(texts) == 1 else value
    return content_text(value)


def _tool(observation: Record) -> RecordedCall:
    return RecordedCall(
        str(observation.get("name") or "?"),
        json_or_text(observation.get("input")),
        json_or_text(observation.get("output")),
    )


def _add_passages(observation: Record, turn: RecordedTurn) -> None:
    output = json_or_text(observation.get("output"))
    if isinstance(output, Mapping):
        output = next((item for item in output.values() if isinstance(item, list)), [])
    for item in _list(output):
        if isinstance(item, Mapping):
            metadata = item.get("metadata")
            inside = metadata if isinstance(metadata, Mapping) else {}
            texts = (item.get(key) for key in ("text", "content", "page_content", "pageContent"))
            text = next((value for value in texts if isinstance(value, str)), None)
            turn.passages.add(item.get("id") or inside.get("id") or inside.get("source"), text)
        elif isinstance(item, str):
            turn.passages.add(None, item)


def _tokens(generations: Iterable[Record], name: str, old: str) -> int | None:
    counts = []
    for each in generations:
        for key in ("usageDetails", "usage"):
            usage = each.get(key)
            if isinstance(usage, Mapping) and as_number(usage.get(name)) is not None:
                counts.append(as_number(usage.get(name)))
                break
        else:
            counts.append(as_number(each.get(old)))
    counts_known = [int(count) for count in counts if count is not None]
    return sum(counts_known) if counts_known else None


def _latency(trace: Record, observations: Iterable[Record]) -> float | None:
    """Milliseconds. Langfuse states seconds; else from the first start to the last end."""
    seconds = as_number(trace.get("latency"))
    if seconds:
        return seconds * 1000
    starts = [time for each in observations if (time := _time(each.get("startTime"))) is not None]
    ends = [time for each in observations if (time := _time(each.get("endTime"))) is not None]
    return (max(ends) - min(starts)) * 1000 if starts and ends else None


def _scores(trace: Record, place: SourcePlace, ledger: Ledger) -> dict[str, ToolScore]:
    """Scores in [0, 1] and truth values. A score passes with 1."""
    scores = {}
    for each in _list(trace.get("scores")):
        if not isinstance(each, Mapping) or not each.get("name"):
            continue
        value = share(each.get("value"))
        if value is None:
            ledger.note(place, f"the score {each['name']!r} is not a share of 1, and is left out")
        else:
            comment = str(each.get("comment") or "")
            scores[str(each["name"])] = ToolScore(value, value == 1, comment)
    return scores


def _kind(observation: Record) -> str:
    return str(observation.get("type") or "").upper()


def _begin(record: Record) -> str:
    observations = record.get("observations")
    times = [record.get("timestamp"), record.get("startTime")]
    times += [each.get("startTime") for each in _list(observations) if isinstance(each, Mapping)]
    return min((str(time) for time in times if time), default="")


def _time(value: object) -> float | None:
    try:
        return datetime.fromisoformat(str(value).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
