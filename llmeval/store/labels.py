"""Labels: verdicts of people on answers, one line each, only ever appended.

Each reviewer has a file of their own (`people_files.py`). Of the lines of one reviewer on (case,
repeat, metric) the latest counts: by its time, then by its place in the file. So files of several
reviewers can be put together in any order, and again, with the same result. Verdicts of one time
that contradict each other count as `unsure` (`counted`).

A verdict that settles a dispute (`adjudication`) is a vote of its own kind: it does not replace the
vote that the same person gave as a reviewer.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import structs

from llmeval.core.errors import StoreError, UsageError
from llmeval.core.records import SCHEMA, Label, digest, to_json
from llmeval.store.directory import LABELS
from llmeval.store.people_files import append_lines, every_line, file_of, files_of
from llmeval.store.record_lines import lines

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


class Voter(NamedTuple):
    """Who gave a verdict, and in which part."""

    name: str
    """Of the reviewer."""
    adjudicates: bool = False
    """Whether the verdict settles what reviewers differ on."""


Votes = Mapping[tuple[Voter, AnswerKey], Label]
"""The label that counts of each voter on an answer and metric."""
StandingVotes = dict[tuple[Voter, AnswerKey], Label]
"""The same, as a dictionary that a function returns."""


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
    """All labels of a run, those of a person in the order written. None where there is no file. A
    torn last line is left out.

    Args:
        path: `labels.jsonl`, `baseline_labels.jsonl` or `reference_labels.jsonl` of the run's
            directory. The labels are in the folder `labels`, `baseline_labels` or
            `reference_labels` next to it, one file a reviewer. Older versions wrote the file.

    Raises:
        StoreError: a line is not a label, or is in the file of another person; names file and line.
    """
    labels = []
    try:
        for where, line in every_line(path):
            label = decode(line, where)
            file = Path(where.rpartition(":")[0])
            if file != path and file.name != file_of(label.reviewer):
                raise UsageError(
                    f"{where}: a label of {label.reviewer[:100]!r} in another person's file; it"
                    f" belongs in {file_of(label.reviewer)}"
                )
            labels.append(label)
    except UsageError as error:
        raise StoreError(str(error)) from None
    return labels


def label_lines(path: Path) -> bytes:
    """The lines of all files of labels as one, for a copy. Torn last lines are left out.

    Args:
        path: as for `read`.
    """
    return b"".join(line for file in files_of(path) for _, line in lines(file))


def has_labels(path: Path) -> bool:
    """Whether there is a file of labels. `path`: as for `read`."""
    return bool(files_of(path))


def append(run: Path, labels: Iterable[Label], file: str = LABELS) -> None:
    """Add labels to a run, each to the file of its reviewer. They are on the disk when this
    returns. Safe while others write.

    Args:
        run: the directory.
        labels: to add.
        file: `labels.jsonl`, `baseline_labels.jsonl` or `reference_labels.jsonl`, as for `read`.

    Raises:
        StoreError: a file can't be written.
    """
    by_person: dict[str, list[bytes]] = {}
    for label in labels:
        by_person.setdefault(label.reviewer, []).append(to_json(label))
    for person, records in by_person.items():
        append_lines(run / file, person, records)


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


def voter_of(label: Label) -> Voter:
    """Who gave a label, and whether it settles a dispute."""
    return Voter(label.reviewer, label.adjudication)


def current(labels: Iterable[Label]) -> StandingVotes:
    """The label that counts for each (voter, answer and metric); withdrawn ones are not there."""
    latest: StandingVotes = {}
    for label in sorted(labels, key=lambda each: _time(each.at)):
        latest[voter_of(label), place_of(label)] = label
    return {key: label for key, label in latest.items() if label.human_verdict != "withdrawn"}


def counted(labels: Iterable[Label]) -> StandingVotes:
    """As `current`. But where the latest labels of a voter on an answer are of one time, or all
    without one, and say different things, nobody knows which was meant: it counts as `unsure`.
    """
    every = list(labels)
    at_once: dict[tuple[Voter, AnswerKey], set[str]] = {}
    latest: dict[tuple[Voter, AnswerKey], datetime] = {}
    for label in every:
        key, time = (voter_of(label), place_of(label)), _time(label.at)
        if key not in latest or time > latest[key]:
            latest[key], at_once[key] = time, set()
        if time == latest[key]:
            at_once[key].add(label.human_verdict)
    return {
        key: structs.replace(label, human_verdict="unsure") if at_once[key] >= _BOTH else label
        for key, label in current(every).items()
    }


_BOTH = {"pass", "fail"}


def revised(labels: Iterable[Label]) -> frozenset[AnswerKey]:
    """Answers on which the verdict that counts of a voter replaced an opposite one of theirs."""
    every = list(labels)
    last = counted(every)
    return frozenset(
        place_of(label)
        for label in every
        if (now := last.get((voter_of(label), place_of(label)))) is not None
        and {label.human_verdict, now.human_verdict} == _BOTH
    )


def merge(*files: Iterable[Label]) -> list[Label]:
    """The labels of several files as one, each once, by time."""
    return sorted(
        fresh((label for file in files for label in file), ()), key=lambda label: _time(label.at)
    )


def agreed(labels: Votes) -> Agreed:
    """From each voter's labels (`current`) to one verdict an answer.

    Reviewers must agree. Where they differ, the latest adjudication decides. `unsure` does not
    count as a verdict. An adjudication against reviewers who agree settles nothing: it is a
    conflict like any other, and so are adjudications of one time that differ.
    """
    places: dict[AnswerKey, list[Label]] = {}
    for (_, place), label in labels.items():
        if label.human_verdict in ("pass", "fail"):
            places.setdefault(place, []).append(label)
    verdicts, conflicts = {}, []
    for place, votes in places.items():
        decisions = [label for label in votes if label.adjudication]
        last = max((_time(label.at) for label in decisions), default=None)
        opinions = {label.human_verdict for label in votes if not label.adjudication}
        disputed = len(opinions) != 1
        counting = [each for each in decisions if disputed and _time(each.at) == last] or votes
        words = {label.human_verdict for label in counting}
        if len(words) == 1:
            verdicts[place] = words == {"pass"}
        else:
            conflicts.append(
                Conflict(place, {label.reviewer: label.human_verdict for label in counting})
            )
    return Agreed(verdicts, conflicts)


def undecided(labels: Votes) -> frozenset[AnswerKey]:
    """Answers with a label and without a verdict: reviewers differ, or nobody is sure.

    Args:
        labels: as for `agreed`.
    """
    verdicts = agreed(labels).verdicts
    return frozenset(place for _, place in labels if place not in verdicts)


def time_of(label: Label) -> datetime:
    """The time of a label; labels without one come first."""
    return _time(label.at)


def _time(at: str) -> datetime:
    """A label's time; labels without one come first. Raises ValueError."""
    if not at:
        return _BEGINNING
    time = datetime.fromisoformat(at)
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
