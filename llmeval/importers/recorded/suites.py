"""A recorded evaluation as a suite: cases, answers, and the scores that another tool gave to
them.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from llmeval.core.errors import SuiteError
from llmeval.core.records import digest
from llmeval.importers.credentials import without_credentials
from llmeval.importers.ledger import Ledger, SourcePlace
from llmeval.importers.writing import Imported, jsonl, slug, suite_text, unique
from llmeval.suite.yaml_file import Document

_MARKS = str.maketrans("@#", "  ")


@dataclass(frozen=True)
class ToolScore:
    """What a tool said of an answer: a value in [0, 1], higher being better, or why there is
    none.
    """

    value: float | None
    passed: bool | None = None
    reason: str = ""
    error: str = ""


_UNSAID = ToolScore(None, error="none is recorded")


@dataclass
class RecordedCase:
    """One recorded case. `answers`: by repeat, None if there was none. `scores`: by metric and
    repeat.
    """

    id: str
    messages: list[dict[str, str]]
    references: list[str] = field(default_factory=list)
    context: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    answers: dict[int, str | None] = field(default_factory=dict)
    scores: dict[str, dict[int, ToolScore]] = field(default_factory=dict)

    def score(self, metric: str, repeat: int, tool_score: ToolScore) -> None:
        """Keep what was said."""
        self.scores.setdefault(metric.translate(_MARKS).strip(), {})[repeat] = tool_score


@dataclass
class Evaluation:
    """One evaluation: of `name`, by `tool`, with one model. `decides`: whether the tool fails when
    a case does.
    """

    name: str
    tool: str
    description: str
    cases: list[RecordedCase]
    decides: bool = False


def share(value: object) -> float | None:
    """A score in [0, 1]; None for anything else."""
    if isinstance(value, bool):
        return float(value)
    if not isinstance(value, int | float) or not math.isfinite(value) or not 0 <= value <= 1:
        return None
    return float(value)


def as_suites(
    evaluations: Iterable[Evaluation], out: Path, name: str | None, ledger: Ledger, source: Path
) -> Imported:
    """The files of a suite for each evaluation.

    Args:
        evaluations: what was recorded.
        out: the folder of the suites.
        name: the suite's name, or how the names of several begin.
        ledger: what is left out, and what is to be known.
        source: the file or folder that it came from.
    """
    files: dict[Path, str] = {}
    suites: list[Path] = []
    runs = list(evaluations)
    place = SourcePlace(Document(str(source), None, {}))
    for recorded in runs:
        title, described = map(without_credentials, (recorded.name, recorded.description))
        evaluation = replace(recorded, name=title, description=described)
        if evaluation != recorded:
            ledger.note(place, f"{title} has what looks like a credential, which is not copied")
        own = slug(evaluation.name)
        named = own if name is None else name if len(runs) == 1 else f"{name}-{own}"
        named = unique(named, [path.stem for path in suites])
        files.update(_files(evaluation, out, named, ledger, place))
        suites.append(out / f"{named}.yaml")
    return Imported(
        files, suites, ledger.notes, ledger.left_out, sum(len(each.cases) for each in runs)
    )


def _files(
    evaluation: Evaluation, out: Path, name: str, ledger: Ledger, place: SourcePlace
) -> dict[Path, str]:
    rows, answers, repeats = [], [], 1
    metrics = list(dict.fromkeys(metric for case in evaluation.cases for metric in case.scores))
    if not metrics:
        ledger.note(
            place,
            f"{evaluation.name} has no score that can be taken over: the answers are replayed with"
            " the check `min_words: 1` and `gate: none`; add checks or judges",
        )
    if not any(text is not None for case in evaluation.cases for text in case.answers.values()):
        raise SuiteError(
            f"{place.document.file}: {evaluation.name} has no answer, so there is nothing to import"
        )
    for case in evaluation.cases:
        for metric in [] if case.scores else metrics:
            case.scores[metric] = {}
        rows.append(_row(case, evaluation.tool))
        repeats = max(repeats, *(repeat + 1 for repeat in case.answers), 1)
        answers += [
            {"id": case.id, "repeat": repeat, "output": text}
            for repeat, text in case.answers.items()
            if text is not None
        ]
    planned = len(rows) * repeats
    if len(answers) < planned:
        ledger.note(
            place,
            f"{planned - len(answers)} of {planned} answers are missing there: they are errors in"
            " the run, not failures",
        )
    suite = {
        "suite": name,
        "description": evaluation.description,
        "cases": {"source": f"data/{name}.jsonl"},
        "models": {"recorded": {"provider": "replay", "source": f"data/{name}.answers.jsonl"}},
        "candidate": "recorded",
        "repeats": repeats if repeats > 1 else None,
        "checks": [] if metrics else [{"min_words": 1}],
        "gate": {"must_pass": "all"} if evaluation.decides and metrics else "none",
    }
    head = [
        (
            f"Imported from {evaluation.tool}: its answers are replayed, no model is asked. The"
            " metrics are its own scores, which the"
        ),
        (
            "check `recorded` of each case binds to the answer that was scored; a new answer has"
            " none of them. To try another"
        ),
        "model, add it to `models`, and `checks` or `judges` that score both.",
    ]
    return {
        out / f"{name}.yaml": suite_text(suite, head),
        out / "data" / f"{name}.jsonl": jsonl(rows),
        out / "data" / f"{name}.answers.jsonl": jsonl(answers),
    }


def _row(case: RecordedCase, tool: str) -> dict[str, object]:
    row: dict[str, object] = {"id": case.id, "messages": case.messages, **case.fields}
    if case.references:
        row["references"] = case.references
    if case.context:
        row["context"] = case.context
    if case.tags:
        row["tags"] = case.tags
    row["checks"] = [
        {
            "recorded": {
                "metric": metric,
                "tool": tool,
                "scores": [
                    _entry(case, repeat, by.get(repeat, _UNSAID)) for repeat in case.answers
                ],
            }
        }
        for metric, by in case.scores.items()
    ]
    return row


def _entry(case: RecordedCase, repeat: int, tool_score: ToolScore) -> dict[str, object]:
    entry: dict[str, object] = {
        "answer": digest((case.answers.get(repeat) or "").encode()),
        "repeat": repeat,
    }
    for name in ("value", "passed", "reason", "error"):
        if getattr(tool_score, name) not in (None, ""):
            entry[name] = getattr(tool_score, name)
    return entry
