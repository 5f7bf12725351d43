"""Labels from files into a run: each is held against the answer it is about before it counts."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from llmeval.core.draw import Draw
from llmeval.core.errors import UsageError
from llmeval.core.records import Label, digest, utc_now
from llmeval.review.draw import draws, judged_metric, key_of
from llmeval.review.sheet import read_sheet, verdict_of
from llmeval.store.directory import LABELS, RunDir
from llmeval.store.labels import AnswerKey, append, current, fresh, place_of, read, text_digest


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

    Args:
        run: the run that the labels are about.
        files: label records or sheets.
        reviewer: who labelled, for rows that do not say.
        metric: for rows that do not say; default: the run's only judged metric.

    Raises:
        UsageError: a file is wrong (file and line are named); nothing was added.
    """
    answers, made = answers_of(run), draws(run)
    before = read(run.path / LABELS)
    standing = current(before)
    labels: list[Label] = []
    known = empty = 0
    refused, time = [], utc_now("milliseconds")
    for file in files:
        for item in read_sheet(file):
            if isinstance(item, Label):
                label, where = item, f"{file}: {item.case_id}"
            else:
                where = item["where"]
                verdict = verdict_of(item)
                if not verdict:
                    empty += 1
                    continue
                metric = metric if item.get("metric") else judged_metric(run, metric)
                label = _label(run, item, verdict, reviewer, metric, answers, made, time)
            problem = _problem(run, label, answers)
            if problem:
                refused.append(f"{where}: {problem}")
            elif not isinstance(item, Label) and _says(
                standing.get((label.reviewer, place_of(label)))
            ) == _says(label):
                # a sheet has no ids: a row that says what its reviewer says already is the same
                # label
                known += 1
            else:
                labels.append(label)
    added = fresh(labels, before)
    if added:
        append(run.path, added)
    return Intake(len(added), known + len(labels) - len(added), empty, refused)


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
    known = answers.get((label.case_id, label.repeat))
    return known is not None and label.output_digest in ("", known.digest)


def _label(
    run: RunDir,
    row: Mapping[str, Any],
    verdict: str,
    reviewer: str,
    metric: str | None,
    answers: Mapping[tuple[str, int], AnswerStatus],
    made: Mapping[str, Draw],
    time: str,
) -> Label:
    """A sheet's row as a label. Its sampling is what the run knows of the draw, or what the row
    states.
    """
    try:
        place = AnswerKey(
            str(row["case_id"]), int(row.get("repeat") or 0), str(row.get("metric") or metric)
        )
        drawn = made.get(str(row.get("draw") or ""))
        probability = float(row["probability"]) if row.get("probability") else None
    except (KeyError, ValueError) as error:
        raise UsageError(f"{row['where']}: not a row of labels: {error}") from None
    sampling = str(row.get("sampling") or "triage")
    if drawn is not None and drawn.metric == place.metric and key_of(place) in drawn.drawn:
        stratum = drawn.strata[drawn.drawn[key_of(place)]]
        sampling, probability = "stratified", stratum.probability
    known = answers.get((place.case_id, place.repeat))
    fields = {
        "run_id": str(row.get("run_id") or run.manifest().run_id),
        **place._asdict(),
        "output_digest": str(row.get("output_digest") or ""),
        "human_verdict": verdict,
        "judge_verdict": None if known is None else known.statuses.get(place.metric),
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


def _problem(run: RunDir, label: Label, answers: Mapping[tuple[str, int], AnswerStatus]) -> str:
    """Why a label can't be about this run; empty when it can."""
    run_id = run.manifest().run_id
    if label.run_id and label.run_id != run_id:
        return f"made for the run {label.run_id}"
    place = place_of(label)
    known = answers.get((place.case_id, place.repeat))
    if known is None:
        return f"this run has no answer to {place.case_id!r} (repeat {place.repeat})"
    if label.output_digest and label.output_digest != known.digest:
        return f"made for another answer to {place.case_id!r}"
    if place.metric not in known.statuses:
        return f"the answer to {place.case_id!r} has no score of {place.metric!r}"
    return ""
