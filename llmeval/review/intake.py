"""Labels from files into a run: each is held against the answer it is about before it counts."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from llmeval.core.draw import Draw
from llmeval.core.errors import UsageError
from llmeval.core.person_names import name_problem, person_key
from llmeval.core.records import Label, digest, utc_now
from llmeval.review.draw import draws, judged_metric
from llmeval.review.sheet import read_sheet, verdict_of
from llmeval.store.directory import LABELS, RunDir
from llmeval.store.draws import key_of
from llmeval.store.labels import (
    BASELINE_LABELS,
    AnswerKey,
    append,
    current,
    fresh,
    place_of,
    read,
    text_digest,
    voter_of,
)


class Intake(NamedTuple):
    """The outcome of the rows of the files: labels added, duplicate rows, rows without a verdict,
    and rows that are not about this run's answers, each with the reason.
    """

    added: int
    known: int
    empty: int
    refused: list[str]


class AnswerStatus(NamedTuple):
    """A run's answers as labels need them: digest of the text, and by metric the status and who
    gave it.
    """

    digest: str
    statuses: dict[str, str]
    sources: dict[str, str]


def take_in(
    run: RunDir, files: Iterable[Path], reviewer: str = "", metric: str | None = None
) -> Intake:
    """Append the labels of files to a run.

    Verdicts that settle a dispute are left out, unless the run has them already.

    Args:
        run: the run that the labels are about.
        files: label records or sheets.
        reviewer: who labelled, for rows that do not say.
        metric: for rows that do not say; default: the run's only judged metric.

    Raises:
        UsageError: a file is wrong (file and line are named); nothing was added.
    """
    answers, run_draws = answers_of(run), draws(run)
    own, other = _LabelFile(run.path, LABELS), _LabelFile(run.path, BASELINE_LABELS)
    kept = empty = 0
    refused, time = [], utc_now("milliseconds")
    for file in files:
        for item in read_sheet(file):
            from_sheet = not isinstance(item, Label)
            if isinstance(item, Label):
                label, where = item, f"{file}: {item.case_id}"
                drawn = _baseline_draw(label, run_draws)
            else:
                where, verdict = item["where"], verdict_of(item)
                if not verdict:
                    empty += 1
                    continue
                metric = metric if item.get("metric") else judged_metric(run, metric)
                label = _label(run, item, verdict, reviewer, metric, answers, run_draws, time)
                drawn = run_draws.get(str(item.get("draw") or ""))
            of_baseline = _of_baseline(label, drawn)
            refusal = (own if of_baseline is None else other).refusal(label)
            if refusal:
                refused.append(f"{where}: {refusal}")
                continue
            if of_baseline is not None:
                kept += other.take(of_baseline, from_sheet=from_sheet)
                if not from_sheet or not fits(label, answers):
                    continue
            problem = _problem(run, label, answers, drawn)
            if problem:
                refused.append(f"{where}: {problem}")
            else:
                kept += own.take(label, from_sheet=from_sheet)
    added = own.write() + other.write()
    return Intake(added, kept + len(own.labels) + len(other.labels) - added, empty, refused)


class _LabelFile:
    """A file of labels in a run's directory, and what is to be added to it."""

    def __init__(self, run: Path, name: str) -> None:
        self._run, self._name, self._before = run, name, read(run / name)
        self._standing = current(self._before)
        self._ids = {label.label_id for label in self._before}
        self._names = {person_key(label.reviewer): label.reviewer for label in self._before}
        self.labels: list[Label] = []

    def refusal(self, label: Label) -> str:
        """Why the file does not take a label; empty if it does.

        A verdict that settles a dispute outweighs the votes of reviewers, so it comes only from the
        command that shows all votes. One person has one spelling, or would count as two reviewers.
        """
        if label.adjudication and label.label_id not in self._ids:
            return (
                "settles a dispute (`adjudication`), and no file can do that: decide with"
                " `llmeval review adjudicate RUN`"
            )
        if label.reviewer and (confusable := name_problem(label.reviewer)):
            return f"the reviewer's name {confusable}"
        name = self._names.setdefault(person_key(label.reviewer), label.reviewer)
        if name != label.reviewer:
            return (
                f"the reviewer {label.reviewer!r} is {name!r} in another spelling: as a second"
                " person they would count twice. Write the name as there"
            )
        return ""

    def take(self, label: Label, *, from_sheet: bool) -> bool:
        """Take a label; returns whether the file has it already. A sheet has no ids: a row that
        says what its reviewer says already is the same label.
        """
        before = self._standing.get((voter_of(label), place_of(label)))
        if from_sheet and _says(before) == _says(label):
            return True
        self.labels.append(label)
        return False

    def write(self) -> int:
        """Append what is new; returns how many labels."""
        new = fresh(self.labels, self._before)
        if new:
            append(self._run, new, self._name)
        return len(new)


def _baseline_draw(label: Label, drawn: Mapping[str, Draw]) -> Draw | None:
    """The draw that a label record of a baseline's answer comes from; None for other records."""
    return next(
        (
            draw
            for draw in drawn.values()
            if draw.pairs
            and draw.baseline == label.run_id
            and draw.metric == label.metric
            and key_of(place_of(label)) in draw.drawn
        ),
        None,
    )


def _of_baseline(label: Label, drawn: Draw | None) -> Label | None:
    """The label as one of the baseline's answer, where the draw has that text; None otherwise."""
    if drawn is None or drawn.baseline is None or not label.output_digest:
        return None
    if drawn.baseline_outputs.get(key_of(place_of(label))) != label.output_digest:
        return None
    return msgspec.structs.replace(label, run_id=drawn.baseline, judge_verdict=None)


def _says(label: Label | None) -> tuple[str, ...] | None:
    return None if label is None else (label.human_verdict, label.comment, label.sampling)


def answers_of(run: RunDir) -> dict[tuple[str, int], AnswerStatus]:
    """Every answer of a run, by (case, repeat)."""
    return {
        (unit.case.id, unit.answer.repeat): AnswerStatus(
            text_digest(unit.answer.text),
            {score.metric: str(score.status) for score in unit.scores},
            {score.metric: score.source for score in unit.scores},
        )
        for unit in run.units()
        if unit.answer.output is not None
    }


def fits(label: Label, answers: Mapping[tuple[str, int], AnswerStatus]) -> bool:
    """Whether the answer that was labelled is the one in the run."""
    answer = answers.get((label.case_id, label.repeat))
    return answer is not None and label.output_digest in ("", answer.digest)


def _label(
    run: RunDir,
    row: Mapping[str, Any],
    verdict: str,
    reviewer: str,
    metric: str | None,
    answers: Mapping[tuple[str, int], AnswerStatus],
    run_draws: Mapping[str, Draw],
    time: str,
) -> Label:
    """A sheet's row as a label. Its sampling is what the run knows of the draw, or what the row
    states. Only the draws of the run decide what is a random sample (`drawn_by_verdict`).
    """
    try:
        place = AnswerKey(
            str(row["case_id"]), int(row.get("repeat") or 0), str(row.get("metric") or metric)
        )
        drawn = run_draws.get(str(row.get("draw") or ""))
        probability = float(row["probability"]) if row.get("probability") else None
    except (KeyError, ValueError) as error:
        raise UsageError(f"{row['where']}: not a row of labels: {error}") from None
    sampling = str(row.get("sampling") or "triage")
    if drawn is not None and drawn.metric == place.metric and key_of(place) in drawn.drawn:
        stratum = drawn.strata[drawn.drawn[key_of(place)]]
        sampling, probability = "stratified", stratum.probability
    answer = answers.get((place.case_id, place.repeat))
    fields = {
        "run_id": str(row.get("run_id") or run.manifest().run_id),
        **place._asdict(),
        "output_digest": str(row.get("output_digest") or ""),
        "human_verdict": verdict,
        "judge_verdict": None if answer is None else answer.statuses.get(place.metric),
        "comment": str(row.get("comment") or ""),
        "reviewer": str(row.get("reviewer") or reviewer),
        "blind": drawn is not None,
        "sampling": sampling,
        "probability": probability,
    }
    try:
        label: Label = msgspec.convert(
            {**fields, "label_id": digest([fields, time])[7:39], "at": time}, Label
        )
    except msgspec.ValidationError as error:
        raise UsageError(f"{row['where']}: {error}") from None
    return label


def _problem(
    run: RunDir,
    label: Label,
    answers: Mapping[tuple[str, int], AnswerStatus],
    drawn: Draw | None = None,
) -> str:
    """Why a label can't be about this run; empty when it can. `drawn`: the draw that the row
    names.
    """
    run_id = run.manifest().run_id
    if drawn is not None and drawn.pairs and not label.output_digest:
        return (
            "two answers to this case were drawn, and the row does not say which one it is about:"
            " keep the column `output_digest`"
        )
    if label.run_id and label.run_id != run_id:
        return f"made for the run {label.run_id}"
    place = place_of(label)
    answer = answers.get((place.case_id, place.repeat))
    if answer is None:
        return f"this run has no answer to {place.case_id!r} (repeat {place.repeat})"
    if label.output_digest and label.output_digest != answer.digest:
        return f"made for another answer to {place.case_id!r}"
    if place.metric not in answer.statuses:
        return f"the answer to {place.case_id!r} has no score of {place.metric!r}"
    return ""
