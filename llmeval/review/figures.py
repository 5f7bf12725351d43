"""What a run's labels come to: how many, whether people agree with each other, and how often the
judge agrees with them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from llmeval.core.errors import UsageError
from llmeval.gate.disputes import disputes_of
from llmeval.gate.reviewer_agreement import reviewer_agreement, votes_by_metric
from llmeval.review.intake import AnswerStatus, answers_of, fits
from llmeval.stats.estimation.agreement import Agreement, agreement
from llmeval.stats.estimation.label_counts import Provenance, RefusedEstimate, count_labels
from llmeval.store.directory import LABELS, RunDir
from llmeval.store.draws import drawn_by_verdict
from llmeval.store.labels import Agreed, AnswerKey, StandingVotes, agreed, counted, read

_SHOWN = ("sensitivity", "specificity", "youden", "accuracy", "kappa", "ac1")
_VERDICTS = {"pass": True, "fail": False}


def figures(run: RunDir) -> dict[str, Any]:
    """The labels of a run by metric, as plain values.

    Raises:
        UsageError: a line is not a label.
    """
    answers = answers_of(run)
    every = counted(read(run.path / LABELS))
    valid = {key: label for key, label in every.items() if fits(label, answers)}
    drawn = drawn_by_verdict(run.path)
    return {
        "run_id": run.manifest().run_id,
        "labels": len(valid),
        "stale": len(every) - len(valid),
        "reviewers": dict(Counter(voter.name or "(no name)" for voter, _ in sorted(valid))),
        "metrics": [
            _metric(name, votes, answers, drawn) for name, votes in votes_by_metric(valid).items()
        ],
    }


def _metric(
    metric: str,
    here: StandingVotes,
    answers: Mapping[tuple[str, int], AnswerStatus],
    drawn: Mapping[AnswerKey, float],
) -> dict[str, object]:
    people = agreed(here)
    return {
        "metric": metric,
        "labels": len(here),
        "answers": len({place for _, place in here}),
        "verdicts": dict(Counter(label.human_verdict for label in here.values())),
        "sampling": dict(
            Counter("stratified" if place in drawn else "triage" for _, place in here)
        ),
        "blind": sum(label.blind for label in here.values()),
        "conflicts": [
            {"case_id": each.place.case_id, "repeat": each.place.repeat, "verdicts": each.verdicts}
            for each in people.conflicts
        ],
        "settled": _settled(here),
        "reviewers": _reviewers(here),
        "judge": _judge(metric, here, people, answers, drawn),
    }


def _reviewers(votes: StandingVotes) -> dict[str, object] | None:
    """How far reviewers agree on answers that several of them labelled; None when none was."""
    measured = reviewer_agreement(votes)
    if measured is None:
        return None
    pairs = [
        {
            "reviewers": list(pair.reviewers),
            "n": pair.n,
            "accuracy": pair.accuracy._asdict(),
            "kappa": pair.kappa._asdict(),
            "ac1": pair.ac1._asdict(),
        }
        for pair in measured.pairs
    ]
    return {"pairs": pairs, "alpha": measured.alpha._asdict()}


def _settled(votes: StandingVotes) -> list[dict[str, object]]:
    """Answers that reviewers differed on, and who settled it."""
    return [
        {
            "case_id": each.place.case_id,
            "repeat": each.place.repeat,
            "verdicts": {label.reviewer: label.human_verdict for label in each.votes},
            "verdict": each.decision.human_verdict,
            "by": each.decision.reviewer,
            "reason": each.decision.comment,
        }
        for each in disputes_of(votes)
        if each.decision is not None
    ]


def _judge(
    metric: str,
    labels: StandingVotes,
    people: Agreed,
    answers: Mapping[tuple[str, int], AnswerStatus],
    drawn: Mapping[AnswerKey, float],
) -> dict[str, object]:
    """The judge's verdicts against people's: counts of all labels, and figures from those drawn at
    random.

    What a check decided in the judge's place is left out: it says nothing about the judge.
    """
    source = (
        "judge"
        if any(answer.sources.get(metric) == "judge" for answer in answers.values())
        else "check"
    )
    own = {
        key: answer.statuses.get(metric)
        for key, answer in answers.items()
        if answer.sources.get(metric) == source
    }
    pairs = {
        place: (_VERDICTS[status], verdict)
        for place, verdict in people.verdicts.items()
        if (status := own.get((place.case_id, place.repeat))) in _VERDICTS
    }
    counts = count_labels(
        [judge for judge, _ in pairs.values()], [person for _, person in pairs.values()]
    )
    sampled = {place: drawn[place] for _, place in labels if place in drawn}
    random = {place: pair for place, pair in pairs.items() if place in sampled}
    result: dict[str, object] = {
        "source": source,
        "counts": counts._asdict(),
        "random": len(random),
        "refused": None,
    }
    statuses = list(own.values())
    judged = (statuses.count("pass"), statuses.count("pass") + statuses.count("fail"))
    try:
        provenance = _provenance(
            [(verdict, sampled[place]) for place, (verdict, _) in random.items()]
        )
        random_counts = count_labels(
            [judge for judge, _ in random.values()], [person for _, person in random.values()]
        )
        measured = agreement(random_counts, provenance=provenance, judged=judged)
    except UsageError as error:
        return {**result, "refused": str(error)}
    return {**result, "youden_lower": measured.youden_lower, **_shown(measured, _SHOWN)}


def _provenance(drawn: Sequence[tuple[bool, float | None]]) -> Provenance:
    """How labels were drawn, from (verdict, probability) of each: at one rate, or at one rate a
    verdict.

    Raises:
        RefusedEstimate: none were drawn at random, or at several rates within a verdict.
    """
    if not drawn:
        raise RefusedEstimate(
            "no label is of an answer drawn at random: draw some with `llmeval labels sample`"
        )
    rates = {
        verdict: {rate for verdict_, rate in drawn if verdict_ is verdict}
        for verdict in (True, False)
    }
    if any(len(strata) > 1 for strata in rates.values()):
        raise RefusedEstimate(
            "the labels come from several draws at different rates; `llmeval judge certify` weighs"
            " them"
        )
    return Provenance.RANDOM if len(rates[True] | rates[False]) == 1 else Provenance.BY_VERDICT


def _shown(agreed: Agreement, names: tuple[str, ...]) -> dict[str, object]:
    return {name: getattr(agreed, name)._asdict() for name in names}
