"""Recorded traffic as a suite: cases, and a `replay` model with outputs, tool calls and data."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from llmeval.core.errors import SuiteError
from llmeval.core.records import digest
from llmeval.importers.credentials import without_credentials
from llmeval.importers.ledger import Ledger, SourcePlace
from llmeval.importers.traces.recorded_traffic import RecordedConversation, RecordedTurn
from llmeval.importers.writing import Imported, jsonl, slug, suite_text, unique
from llmeval.suite.yaml_file import Document

_MARKS = str.maketrans("@#", "  ")


def traffic_suite(
    conversations: Sequence[RecordedConversation],
    out: Path,
    name: str | None,
    tool: str,
    ledger: Ledger,
    source: Path,
) -> Imported:
    """The files of a suite that replays the conversations.

    Args:
        conversations: what was recorded.
        out: the folder of the suite.
        name: the suite's name; by default that of the file.
        tool: where it was recorded, for the head of the suite.
        ledger: what is left out, and what is to be known.
        source: the file or folder that it came from.

    Raises:
        SuiteError: nothing was recorded.
    """
    place = SourcePlace(Document(str(source), None, {}))
    usable = [_without_credentials(each, ledger, place) for each in conversations if each.turns]
    if not usable:
        raise SuiteError(f"{source}: there is no message of a user, so there is nothing to replay")
    named = name or slug(source.stem)
    several = any(len(each.turns) > 1 for each in usable)
    retrieved = any(turn.passages.ids for each in usable for turn in each.turns)
    metrics = list(dict.fromkeys(metric for each in usable for metric in each.scores))
    if several and any(each.system for each in usable):
        ledger.note(
            place, "system prompts of conversations are the field `system`, which nothing sends"
        )
    taken: set[str] = set()
    rows, answers = [], []
    for each in usable:
        identifier = unique(slug(each.id, "case"), taken)
        taken.add(identifier)
        rows.append(_case(each, identifier, tool, metrics, several=several))
        answers.append(_answer(each, identifier, several=several, retrieved=retrieved))
    missing = sum("error" in row for row in answers)
    if missing:
        ledger.note(
            place,
            f"{missing} of {len(answers)} have no reply: they are errors in the run, not failures",
        )
    suite = {
        "suite": named,
        "description": f"Traffic recorded by {tool}.",
        "cases": {"source": f"data/{named}.jsonl"},
        "turns": "{{ says }}" if several else None,
        "candidate": {"provider": "replay", "source": f"data/{named}.answers.jsonl"},
        "checks": [{"min_words": 1}],
        "gate": "none",
    }
    files = {
        out / f"{named}.yaml": suite_text(suite, _HEAD),
        out / "data" / f"{named}.jsonl": jsonl(rows),
        out / "data" / f"{named}.answers.jsonl": jsonl(answers),
    }
    return Imported(files, [out / f"{named}.yaml"], ledger.notes, ledger.left_out, len(usable))


def _without_credentials(
    each: RecordedConversation, ledger: Ledger, place: SourcePlace
) -> RecordedConversation:
    """The same without credentials in what describes it: its id, model, cluster and tags. Messages
    and replies are data and stay.
    """
    clean = replace(
        each,
        id=without_credentials(each.id),
        model=without_credentials(each.model),
        tags={
            without_credentials(name): without_credentials(text, name)
            for name, text in each.tags.items()
        },
    )
    if clean != each:
        ledger.note(place, "a tag, model or id has what looks like a credential; it is `***` here")
    return clean


_HEAD = (
    "Recorded traffic: the replies are replayed, and no model is called. It measures, and decides",
    "nothing: `checks` and `judges` that say what a good reply is, and a `gate`, are yours to add.",
    "To send the same to an application, put it in place of the candidate.",
)


def _case(
    each: RecordedConversation, identifier: str, tool: str, metrics: list[str], *, several: bool
) -> dict[str, object]:
    row: dict[str, object] = {"id": identifier}
    if several:
        row["says"] = [turn.user for turn in each.turns]
        if each.system:
            row["system"] = each.system
    else:
        first = [{"role": "system", "content": each.system}] if each.system else []
        row["messages"] = [*first, {"role": "user", "content": each.turns[0].user}]
    if each.cluster:
        row["cluster"] = each.cluster
    if each.tags:
        row["tags"] = each.tags
    checks = [_recorded(each, metric, tool) for metric in metrics]
    if any(text.strip() for text in each.turns[-1].passages.texts):
        checks.insert(0, {"grounding": {"context": "{{ data.texts }}"}})
    if checks:
        row["checks"] = checks
    return row


def _recorded(each: RecordedConversation, metric: str, tool: str) -> dict[str, object]:
    """The check `recorded` with the score of the last reply; without one it has no entry."""
    score = each.scores.get(metric)
    entries = []
    if score is not None:
        stated = {
            "value": score.value,
            "passed": score.passed,
            "reason": score.reason,
            "error": score.error,
        }
        text = each.turns[-1].output or ""
        entries.append(
            {
                "answer": digest(text.encode()),
                "repeat": 0,
                **{key: value for key, value in stated.items() if value not in (None, "")},
            }
        )
    name = metric.translate(_MARKS).strip()
    return {"recorded": {"metric": name, "tool": tool, "scores": entries}}


def _answer(
    each: RecordedConversation, identifier: str, *, several: bool, retrieved: bool
) -> dict[str, object]:
    failed = next((turn for turn in each.turns if turn.output is None and not turn.calls), None)
    row: dict[str, object] = {"id": identifier}
    if failed is not None:
        return {**row, "output": None, "error": failed.error or "no reply is recorded"}
    if several:
        row["turns"] = [
            {"user": turn.user, **_reply(turn, retrieved=retrieved)} for turn in each.turns
        ]
    else:
        row |= _reply(each.turns[0], retrieved=retrieved)
        if each.model:
            row["model"] = each.model
    return row


def _reply(turn: RecordedTurn, *, retrieved: bool) -> dict[str, object]:
    reply: dict[str, object] = {"output": turn.output or ""}
    if turn.calls:
        reply["tool_calls"] = [call.as_json for call in turn.calls]
    if retrieved:
        reply["data"] = {"ids": turn.passages.ids, "texts": turn.passages.texts}
    if turn.input_tokens is not None or turn.output_tokens is not None:
        reply["usage"] = {"input_tokens": turn.input_tokens, "output_tokens": turn.output_tokens}
    if turn.latency_ms is not None:
        reply["latency_ms"] = round(turn.latency_ms, 3)
    if turn.trace:
        reply["trace"] = turn.trace
    return reply
