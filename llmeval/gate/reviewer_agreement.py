"""How far reviewers agree with each other on the answers that several of them labelled."""

from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple

from llmeval.stats.estimation.agreement import Measure, agreement
from llmeval.stats.estimation.label_counts import count_labels
from llmeval.stats.estimation.raters import krippendorff_alpha, krippendorff_interval
from llmeval.store.labels import AnswerKey, StandingVotes, Votes

_VERDICTS = {"pass": True, "fail": False}


class PairAgreement(NamedTuple):
    """Two reviewers on one metric."""

    reviewers: tuple[str, str]
    """Their names, in order."""
    n: int
    """Answers that both labelled with pass or fail."""
    accuracy: Measure
    """The share of answers with equal verdicts (raw agreement)."""
    kappa: Measure
    """Cohen's kappa: the agreement beyond what two independent reviewers would reach by chance.
    Without a value where one of them gave the same verdict on all answers.
    """
    ac1: Measure
    """Gwet's AC1: the same, and steadier than kappa where nearly all answers pass."""


class ReviewerAgreement(NamedTuple):
    """The reviewers of one metric."""

    pairs: tuple[PairAgreement, ...]
    """Each two reviewers who share at least one answer."""
    alpha: Measure
    """Krippendorff's alpha (nominal) of all reviewers together."""


def reviewer_agreement(votes: Votes) -> ReviewerAgreement | None:
    """The agreement of reviewers on one metric; None if no answer has two clear verdicts.

    Verdicts that settle a dispute are left out: they were given with the others' votes in view.

    Args:
        votes: those that count, all on one metric.
    """
    verdicts = _by_reviewer(votes)
    pairs = []
    for one, other in combinations(sorted(verdicts), 2):
        common = sorted(verdicts[one].keys() & verdicts[other].keys())
        if common:
            counts = count_labels(
                [verdicts[one][place] for place in common],
                [verdicts[other][place] for place in common],
            )
            measured = agreement(counts)
            pairs.append(
                PairAgreement(
                    (one, other), counts.n, measured.accuracy, measured.kappa, measured.ac1
                )
            )
    if not pairs:
        return None
    places = sorted({place for mine in verdicts.values() for place in mine})
    table = [[mine.get(place) for _, mine in sorted(verdicts.items())] for place in places]
    alpha = Measure(krippendorff_alpha(table), *krippendorff_interval(table))
    return ReviewerAgreement(tuple(pairs), alpha)


def votes_by_metric(votes: Votes) -> dict[str, StandingVotes]:
    """The votes of each metric, by its name."""
    by_metric: dict[str, StandingVotes] = {}
    for key in sorted(votes):
        by_metric.setdefault(key[1].metric, {})[key] = votes[key]
    return dict(sorted(by_metric.items()))


def _by_reviewer(votes: Votes) -> dict[str, Mapping[AnswerKey, bool]]:
    verdicts: dict[str, dict[AnswerKey, bool]] = {}
    for (voter, place), label in votes.items():
        if label.human_verdict in _VERDICTS and not voter.adjudicates:
            verdicts.setdefault(voter.name, {})[place] = _VERDICTS[label.human_verdict]
    return dict(verdicts)
