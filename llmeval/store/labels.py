"""Labels: verdicts of people on answers, one line each, only ever appended.

Of the lines of one reviewer on (case, repeat, metric) the latest counts: by its time, then by its
place in the file. So files of several reviewers can be put together in any order, and again, with
the same result. A gate takes verdicts of one time that contradict each other as `unsure`
(`counted`).
"""

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
from filelock import FileLock
from msgspec import structs

from llmeval.core.errors import StoreError, UsageError
from llmeval.core.files import open_to_append
from llmeval.core.records import SCHEMA, Label, digest, to_json
from llmeval.store.directory import LABELS, lines

BASELINE_LABELS = "baseline_labels.jsonl"
"""In a run's directory, the labels of its baseline's answers, drawn to decide a regression."""
REFERENCE_LABELS = "reference_labels.jsonl"
"""In a run's directory, the labels of the references of its cases. Their metric is `REFERENCE`, and
`output_digest` is the digest of the case. No rule of the gate reads them.
"""
REFERENCE = "reference"

_DECODER = msgspec.json.Decoder(Label)
_BEGINNING = datetime.min.replace(tzinfo=UTC)


class AnswerKey(NamedTuple):
    """What a label is about."""

    case_id: str
    repeat: int
    metric: str


class Conflict(NamedTuple):
    """Reviewers who differ on one answer: {reviewer: pass or fail}. Somebody has to decide."""

    place: AnswerKey
    verdicts: dict[str, str]


class Agreed(NamedTuple):
    """What people say in the end: a verdict for each answer they agree on or somebody decided, and
    the open conflicts.
    """

    verdicts: dict[AnswerKey, bool]
    conflicts: list[Conflict]


def place_of(label: Label) -> AnswerKey:
    """The answer and metric a label is about."""
    return AnswerKey(label.case_id, label.repeat, label.metric)


def text_digest(text: str) -> str:
    """The digest of an answer's text that a label carries; the report's page computes the same."""
    return digest(text.encode())


def decode(line: bytes, where: str) -> Label:
    """One line as a label.

    Raises:
        UsageError: it is not one; begins with `where`, a file and line.
    """
    try:
        label = _DECODER.decode(line)
        _time(label.at)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise UsageError(f"{where}: not a label: {error}") from None
    if label.schema > SCHEMA:
        raise UsageError(
            f"{where}: has schema {label.schema}, this llmeval reads up to {SCHEMA}: upgrade"
            " llmeval"
        )
    return label


def read(path: Path) -> list[Label]:
    """All labels of a run's file in the order written; none for a missing file. A torn last line is
    left out.

    Raises:
        StoreError: a line is not a label; names file and line.
    """
    try:
        return [
            decode(line, f"{path}:{number}")
            for number, (_, line) in enumerate(lines(path), start=1)
            if line.strip()
        ]
    except UsageError as error:
        raise StoreError(str(error)) from None


def append(run: Path, labels: Iterable[Label], file: str = LABELS) -> None:
    """Add labels to a file of a run's directory; they are on the disk when this returns. Safe while
    others write.

    Args:
        run: the directory. labels: to add.
        file: `labels.jsonl`, `baseline_labels.jsonl` or `reference_labels.jsonl`.

    Raises:
        StoreError: the file can't be written.
    """
    data = b"".join(to_json(label) + b"\n" for label in labels)
    path = run / file
    try:
        with FileLock(run / ".labels.lock", timeout=10), open_to_append(path) as opened:
            opened.truncate(_whole(path))
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as error:
        raise StoreError(f"{path}: labels can't be written: {error}") from None


def _whole(path: Path) -> int:
    """Where the last complete line ends: what a crash left torn after it is cut off."""
    return sum(len(line) for _, line in lines(path))


def fresh(labels: Iterable[Label], present: Iterable[Label]) -> list[Label]:
    """Those of `labels` that are not among `present`, each once: importing a file twice adds
    nothing.
    """
    seen = {_identity(label) for label in present}
    kept = []
    for label in labels:
        identity = _identity(label)
        if identity not in seen:
            seen.add(identity)
            kept.append(label)
    return kept


def _identity(label: Label) -> str:
    """The label's id; a label without one is what it says."""
    return label.label_id or digest(msgspec.to_builtins(label))


def current(labels: Iterable[Label]) -> dict[tuple[str, AnswerKey], Label]:
    """The label that counts for each (reviewer, answer and metric); withdrawn ones are not
    there.
    """
    latest: dict[tuple[str, AnswerKey], Label] = {}
    for label in sorted(labels, key=lambda each: _time(each.at)):
        latest[label.reviewer, place_of(label)] = label
    return {key: label for key, label in latest.items() if label.human_verdict != "withdrawn"}


def counted(labels: Iterable[Label]) -> dict[tuple[str, AnswerKey], Label]:
    """As `current`. But where the latest labels of a reviewer on an answer are of one time, or all
    without one, and say both pass and fail, nobody knows which was meant: it counts as `unsure`.
    """
    every = list(labels)
    now, at_once = current(every), dict[tuple[str, AnswerKey], set[str]]()
    for label in every:
        key = label.reviewer, place_of(label)
        if key in now and _time(now[key].at) == _time(label.at):
            at_once.setdefault(key, set()).add(label.human_verdict)
    return {
        key: structs.replace(label, human_verdict="unsure") if at_once[key] >= _BOTH else label
        for key, label in now.items()
    }


_BOTH = {"pass", "fail"}


def revised(labels: Iterable[Label]) -> frozenset[AnswerKey]:
    """Answers on which the verdict that counts of a reviewer replaced an opposite one of theirs."""
    every = list(labels)
    last = counted(every)
    return frozenset(
        place_of(label)
        for label in every
        if (now := last.get((label.reviewer, place_of(label)))) is not None
        and {label.human_verdict, now.human_verdict} == _BOTH
    )


def merge(*files: Iterable[Label]) -> list[Label]:
    """The labels of several files as one, each once, by time."""
    return sorted(
        fresh((label for file in files for label in file), ()), key=lambda label: _time(label.at)
    )


def agreed(labels: Mapping[tuple[str, AnswerKey], Label]) -> Agreed:
    """From each reviewer's labels (`current`) to one verdict an answer.

    An adjudication decides; else reviewers must agree. `unsure` does not count as one. Where they
    differ is a conflict.
    """
    places: dict[AnswerKey, list[Label]] = {}
    for (_, place), label in labels.items():
        if label.human_verdict in ("pass", "fail"):
            places.setdefault(place, []).append(label)
    verdicts, conflicts = {}, []
    for place, votes in places.items():
        decided = [label for label in votes if label.adjudication]
        counted = [max(decided, key=lambda label: _time(label.at))] if decided else votes
        distinct = {label.human_verdict for label in counted}
        if len(distinct) == 1:
            verdicts[place] = distinct == {"pass"}
        else:
            conflicts.append(
                Conflict(place, {label.reviewer: label.human_verdict for label in votes})
            )
    return Agreed(verdicts, conflicts)


def undecided(labels: Mapping[tuple[str, AnswerKey], Label]) -> frozenset[AnswerKey]:
    """Answers with a label and without a verdict: reviewers differ, or nobody is sure.

    Args:
        labels: as for `agreed`.
    """
    verdicts = agreed(labels).verdicts
    return frozenset(place for _, place in labels if place not in verdicts)


def _time(at: str) -> datetime:
    """A label's time; labels without one come first. Raises ValueError."""
    if not at:
        return _BEGINNING
    time = datetime.fromisoformat(at)
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
