"""What a run's labels come to: how many, whether people agree with each other, and how often the
judge agrees with them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from llmeval.core.errors import UsageError
from llmeval.core.records import Label
from llmeval.core.thresholds import RANDOM_SAMPLING
from llmeval.review.intake import AnswerStatus, answers_of, fits
from llmeval.stats.estimation.agreement import Agreement, agreement
from llmeval.stats.estimation.label_counts import Provenance, RefusedEstimate, count_labels
from llmeval.store.directory import LABELS, RunDir
from llmeval.store.labels import Agreed, AnswerKey, agreed, current, read

_SHOWN = ("sensitivity", "specificity", "youden", "accuracy", "kappa", "ac1")
_VERDICTS = {"pass": True, "fail": False}


def figures(run: RunDir) -> dict[str, Any]:
    """The labels of a run by metric, as plain values.

    Raises:
        UsageError: a line is not a label.
    """
    answers = answers_of(run)
    every = current(read(run.path / LABELS))
    valid = {key: label for key, label in every.items() if fits(label, answers)}
    metrics = sorted({place.metric for _, place in valid})
    return {
        "run_id": run.manifest().run_id,
        "labels": len(valid),
        "stale": len(every) - len(valid),
        "reviewers": dict(Counter(reviewer or "(no name)" for reviewer, _ in valid)),
        "metrics": [_metric(name, valid, answers) for name in metrics],
    }


def _metric(
    metric: str,
    labels: Mapping[tuple[str, AnswerKey], Label],
    answers: Mapping[tuple[str, int], AnswerStatus],
) -> dict[str, object]:
    here = {key: label for key, label in labels.items() if key[1].metric == metric}
    people = agreed(here)
    return {
        "metric": metric,
        "labels": len(here),
        "answers": len({place for _, place in here}),
        "verdicts": dict(Counter(label.human_verdict for label in here.values())),
        "sampling": dict(Counter(label.sampling for label in here.values())),
        "blind": sum(label.blind for label in here.values()),
        "conflicts": [
            {"case_id": each.place.case_id, "repeat": each.place.repeat, "verdicts": each.verdicts}
            for each in people.conflicts
        ],
        "reviewers": _reviewers(here),
        "judge": _judge(metric, here, people, answers),
    }


def _reviewers(labels: Mapping[tuple[str, AnswerKey], Label]) -> dict[str, object] | None:
    """How far reviewers agree on answers that several of them labelled; None when none was."""
    said: dict[str, dict[AnswerKey, bool]] = {}
    for (reviewer, place), label in labels.items():
        if label.human_verdict in _VERDICTS and not label.adjudication:
            said.setdefault(reviewer, {})[place] = _VERDICTS[label.human_verdict]
    pairs = []
    for one, other in combinations(sorted(said), 2):
        shared = sorted(said[one].keys() & said[other].keys())
        if shared:
            counts = count_labels(
                [said[one][place] for place in shared], [said[other][place] for place in shared]
            )
            found = agreement(counts)
            pairs.append(
                {
                    "reviewers": [one, other],
                    "n": counts.n,
                    **_shown(found, ("accuracy", "kappa", "ac1")),
                }
            )
    if not pairs:
        return None
    from llmeval.stats.estimation.raters import krippendorff_alpha, krippendorff_interval

    places = sorted({place for verdicts in said.values() for place in verdicts})
    table = [[verdicts.get(place) for verdicts in said.values()] for place in places]
    low, high = krippendorff_interval(table)
    return {"pairs": pairs, "alpha": {"value": krippendorff_alpha(table), "low": low, "high": high}}


def _judge(
    metric: str,
    labels: Mapping[tuple[str, AnswerKey], Label],
    people: Agreed,
    answers: Mapping[tuple[str, int], AnswerStatus],
) -> dict[str, object]:
    """The judge's verdicts against people's: counts of all labels, and figures from those drawn at
    random.

    What a check decided in the judge's place is left out: it says nothing about the judge.
    """
    source = (
        "judge"
        if any(known.sources.get(metric) == "judge" for known in answers.values())
        else "check"
    )
    own = {
        key: known.statuses.get(metric)
        for key, known in answers.items()
        if known.sources.get(metric) == source
    }
    pairs = {
        place: (_VERDICTS[status], verdict)
        for place, verdict in people.verdicts.items()
        if (status := own.get((place.case_id, place.repeat))) in _VERDICTS
    }
    counts = count_labels(
        [judge for judge, _ in pairs.values()], [person for _, person in pairs.values()]
    )
    sampled = {
        place: label.probability
        for (_, place), label in labels.items()
        if label.sampling in RANDOM_SAMPLING
    }
    random = {place: pair for place, pair in pairs.items() if place in sampled}
    found: dict[str, object] = {
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
        return {**found, "refused": str(error)}
    return {**found, "youden_lower": measured.youden_lower, **_shown(measured, _SHOWN)}


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
        verdict: {rate for said, rate in drawn if said is verdict} for verdict in (True, False)
    }
    if any(len(found) > 1 for found in rates.values()):
        raise RefusedEstimate(
            "the labels come from several draws at different rates; `llmeval judge certify` weighs"
            " them"
        )
    return Provenance.RANDOM if len(rates[True] | rates[False]) == 1 else Provenance.BY_VERDICT


def _shown(found: Agreement, names: tuple[str, ...]) -> dict[str, object]:
    return {name: getattr(found, name)._asdict() for name in names}
