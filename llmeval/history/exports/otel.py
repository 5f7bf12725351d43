"""Scores as events of OpenTelemetry: `gen_ai.evaluation.result`, one for each score.

The file is OTLP-JSON, one `ExportLogsServiceRequest` a line, as the collector's `otlpjsonfile`
receiver reads it. The names below are in status "development" of the semantic conventions for
generative AI; they are in this module only.

Source: opentelemetry semantic-conventions-genai, model/gen-ai/events.yaml, read on 2026-11-30.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from llmeval.core.files import write_atomically
from llmeval.core.manifest import Manifest
from llmeval.core.records import Answer, Score
from llmeval.store.directory import RunDir

EVENT = "gen_ai.evaluation.result"
NAME = "gen_ai.evaluation.name"
VALUE = "gen_ai.evaluation.score.value"
LABEL = "gen_ai.evaluation.score.label"
EXPLANATION = "gen_ai.evaluation.explanation"
MODEL = "gen_ai.response.model"
ERROR = "error.type"
_SERVICE = "service.name"
_OWN = "llmeval"
"""Attributes of our own begin with this name."""
_BATCH = 500
"""Events a line."""
Attribute = dict[str, object]


def write_otel(runs: Iterable[Path], path: Path) -> int:
    """Write the scores of runs as events; gives how many.

    Args:
        runs: their directories.
        path: the file, which is replaced.

    Raises:
        StoreError: a run can't be read, or the file can't be written.
    """
    written = 0

    def lines() -> Iterator[bytes]:
        nonlocal written
        for run in runs:
            directory = RunDir(run)
            for line, events in _requests(directory):
                written += events
                yield line

    write_atomically(path, lines())
    return written


def _requests(run: RunDir) -> Iterator[tuple[bytes, int]]:
    manifest, batch = run.manifest(), list[dict[str, object]]()
    for unit in run.units():
        for score in unit.scores:
            batch.append(_event(manifest, unit.answer, score))
            if len(batch) == _BATCH:
                yield _request(manifest, batch), len(batch)
                batch = []
    if batch:
        yield _request(manifest, batch), len(batch)


def _request(manifest: Manifest, events: list[dict[str, object]]) -> bytes:
    resource = [
        _attribute(_SERVICE, "llmeval"),
        _attribute(f"{_OWN}.suite", manifest.suite),
        _attribute(f"{_OWN}.run.id", manifest.run_id),
        _attribute(f"{_OWN}.candidate", manifest.candidate.name),
    ]
    scope = {"name": "llmeval", "version": manifest.llmeval.version}
    request = {
        "resourceLogs": [
            {
                "resource": {"attributes": resource},
                "scopeLogs": [{"scope": scope, "logRecords": events}],
            }
        ]
    }
    return msgspec.json.encode(request) + b"\n"


def _event(manifest: Manifest, answer: Answer, score: Score) -> dict[str, object]:
    attributes = [
        _attribute(NAME, score.metric),
        _attribute(LABEL, str(score.status)),
        _attribute(f"{_OWN}.case.id", score.case_id),
        _attribute(f"{_OWN}.repeat", score.repeat),
        _attribute(f"{_OWN}.source", score.source),
    ]
    if score.value is not None:
        attributes.append(_attribute(VALUE, float(score.value)))
    if score.reason or score.unscored:
        attributes.append(_attribute(EXPLANATION, score.unscored or score.reason))
    if answer.model:
        attributes.append(_attribute(MODEL, answer.model))
    if score.error is not None:
        attributes.append(_attribute(ERROR, score.error.kind))
    time = str(_nanoseconds(score.answered_at or answer.answered_at or manifest.started))
    return {"timeUnixNano": time, "eventName": EVENT, "attributes": attributes}


def _attribute(key: str, value: str | int | float) -> Attribute:
    """An attribute in OTLP-JSON; integers are texts there."""
    if isinstance(value, float):
        return {"key": key, "value": {"doubleValue": value}}
    if isinstance(value, int):
        return {"key": key, "value": {"intValue": str(value)}}
    return {"key": key, "value": {"stringValue": value}}


def _nanoseconds(at: str) -> int:
    try:
        time = datetime.fromisoformat(at)
    except ValueError:
        return 0
    time = time if time.tzinfo is not None else time.replace(tzinfo=UTC)
    return int(time.timestamp() * 1000) * 1_000_000
