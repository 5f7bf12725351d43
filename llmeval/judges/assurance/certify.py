"""Makes a certificate: lets a judge judge labelled answers, and computes how often it is right."""

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from llmeval.core.certificate import Anchor, Certificate, Disagreement, FigureGroup
from llmeval.core.errors import UsageError
from llmeval.core.records import Status, utc_now
from llmeval.core.thresholds import RANDOM_SAMPLING
from llmeval.judges.assurance.certificate import parts_of
from llmeval.judges.assurance.labelled_answers import LabelledAnswer, provenance
from llmeval.judges.assurance.measures import (
    FIGURES,
    JudgedAnswer,
    alternative,
    counts_of,
    effective_counts,
    figure,
    groups,
    human_ceiling,
    measured,
    ruling,
    stated_probabilities,
)
from llmeval.judges.ensemble import MemberVerdict
from llmeval.models.request_form import MODES
from llmeval.stats.estimation.agreement import retest

ANCHORS = 50
ANCHOR_CALLS = 3
"""Calls for each anchor's verdict; all of them agree."""
RETEST_ITEMS, RETEST_ROUNDS = 30, 3
PROBE_FORMS = 8
"""Forms of each answer that the probes for bias use, at most."""
NATURAL = 0.02
"""The smallest share of verdicts assumed to change between equal calls (docs/statistics.md)."""


def verdicts_needed(answers: int, *, probes: bool = False) -> int:
    """At most so many verdicts are needed to measure a judge.

    Args:
        answers: labelled answers that may be used.
        probes: whether it is probed for bias too.
    """
    again = RETEST_ROUNDS * min(answers, RETEST_ITEMS) + (ANCHOR_CALLS - 1) * min(answers, ANCHORS)
    return answers + again + (PROBE_FORMS * answers if probes else 0)


def usable(items: Sequence[LabelledAnswer]) -> list[LabelledAnswer]:
    """The labels that may be used for figures: without labels of answers that were picked because
    they looked odd.

    Raises:
        UsageError: none are left.
    """
    kept = [item for item in items if item.verdict is not None and item.sampling != "triage"]
    if not kept:
        raise UsageError(
            "no label can be used for a certificate: each one is of an answer picked by hand, or"
            " people disagree on it. Draw answers with `llmeval labels sample`, label them, and add"
            " the labels with `llmeval labels import`"
        )
    if len({item.sampling in RANDOM_SAMPLING for item in kept}) > 1:
        raise UsageError(
            "labels drawn at random and labels collected by hand can't be mixed: certify on one"
            " kind"
        )
    return kept


async def judge_all(judge: MemberVerdict, items: Sequence[LabelledAnswer]) -> list[JudgedAnswer]:
    """The judge's score of each item, in order."""
    scores = await asyncio.gather(
        *(judge.score(item.case, item.answer, item.asked) for item in items)
    )
    return [JudgedAnswer(item, score) for item, score in zip(items, scores, strict=True)]


async def certify(
    judge: MemberVerdict, items: Sequence[LabelledAnswer], *, suite: str, days: int, version: str
) -> Certificate:
    """A certificate for `judge`.

    Args:
        judge: the judge to measure.
        items: labelled answers. Answers picked by hand, or on which people disagree, are ignored.
        suite: the suite's name.
        days: the number of days after which the certificate expires.
        version: the version of llmeval.

    Raises:
        UsageError: the labels are not enough for a certificate, or the judge applies to none of the
            answers.
    """
    kept = usable(items)
    judged = await judge_all(judge, kept)
    applicable = [each for each in judged if each.score.status is not Status.NOT_APPLICABLE]
    counts = counts_of(applicable)
    if not counts.n:
        why = judged[0].score.unscored or "it gave no usable verdict"
        raise UsageError(
            f"the judge of {judge.metric} has no verdict on any labelled answer: {why}"
        )
    form = _form_of(judge, applicable)
    agreement = measured(applicable)
    undecided = sum(each.pair is None for each in applicable)
    trusted, reason = ruling(counts, agreement, undecided)
    again = await _retest(judge, [each for each in applicable if each.pair is not None])
    slices = {
        place: [f"{key}={value}" for key, value in each.item.slices.items()]
        for place, each in enumerate(applicable)
    }
    return Certificate(
        judge=_digest_in(judge, form),
        trusted=trusted,
        reason=reason,
        labels=counts.n,
        suite=suite,
        metric=judge.metric,
        made=utc_now(),
        expires=(datetime.now(UTC) + timedelta(days=days)).date().isoformat(),
        llmeval=version,
        parts=parts_of(judge, form),
        provenance={**provenance(kept), "left_out": len(items) - len(kept)},
        counts={**counts._asdict(), "undecided": undecided},
        weighted=effective_counts(applicable)._asdict(),
        figures={name: figure(getattr(agreement, name)) for name in FIGURES},
        youden_lower=agreement.youden_lower,
        leniency_p=agreement.bias,
        probabilities=stated_probabilities(applicable),
        retest=again,
        slices=groups(applicable, slices),
        arms=_arms(applicable),
        people=human_ceiling(items),
        alt_test=alternative(applicable),
        disagreements=tuple(
            _disagreement(each)
            for each in applicable
            if each.pair is None or each.pair[0] != each.pair[1]
        ),
        natural=max(NATURAL, 0.0 if again is None else 1 - again["value"]),
        anchor_calls=ANCHOR_CALLS,
        anchors=await _anchors(judge, applicable) if trusted else (),
    )


def _form_of(judge: MemberVerdict, judged: Sequence[JudgedAnswer]) -> str | None:
    """The `structured_output` of all verdicts, if the endpoint refused the stated one; else None.

    Raises:
        UsageError: the verdicts came with several ones, or the judge has several models.
    """
    used = {each.score.judge for each in judged if each.score.attempts or each.score.cached}
    if used <= {judge.digest}:
        return None
    if len(judge.members) == 1 and len(used) == 1:
        for mode in MODES:
            if used == {judge.members[0].digest_with(mode)}:
                return mode
    raise UsageError(
        f"the judge of {judge.metric}: the endpoint refused the stated `structured_output`, so its"
        " verdicts come from several forms of requests. Write the one that it accepts"
        " (`llmeval doctor` names it) on the model, and certify again"
    )


def _digest_in(judge: MemberVerdict, form: str | None) -> str:
    return judge.digest if form is None else judge.members[0].digest_with(form)


def _arms(judged: Sequence[JudgedAnswer]) -> tuple[FigureGroup, ...]:
    """The figures of each system. Systems of one name (another prompt, say) are told apart by the
    beginning of their digests.
    """
    systems: dict[str, set[str]] = {}
    for each in judged:
        systems.setdefault(each.item.arm, set()).add(each.item.system)

    def name(item: LabelledAnswer) -> str:
        return f"{item.arm} ({item.system[:6]})" if len(systems[item.arm]) > 1 else item.arm

    names = {place: [name(each.item)] for place, each in enumerate(judged) if each.item.arm}
    of_name = {name(each.item): each.item.system for each in judged}
    return tuple(
        msgspec.structs.replace(group, system=of_name[group.name])
        for group in groups(judged, {place: names.get(place, []) for place in range(len(judged))})
    )


async def _retest(judge: MemberVerdict, judged: Sequence[JudgedAnswer]) -> dict[str, Any] | None:
    """Retest: judge the same answers again without the cache, and count answers on which all
    verdicts agree.
    """
    items = [
        each.item
        for each in random.Random(judge.digest).sample(list(judged), min(RETEST_ITEMS, len(judged)))
    ]
    if not items:
        return None
    fresh = judge.uncached()
    rounds = [
        await judge_all(fresh, items) for _ in range(RETEST_ROUNDS)
    ]  # one after the other, because equal calls in flight are sent only once
    verdict_sets = [
        {each.score.passed for each in verdicts} for verdicts in zip(*rounds, strict=True)
    ]
    unanimous = sum(len(verdicts) == 1 for verdicts in verdict_sets)
    value, low, high = retest(unanimous, len(items))
    return {
        "items": len(items),
        "calls": RETEST_ROUNDS,
        "unanimous": unanimous,
        "value": value,
        "low": low,
        "high": high,
    }


def _disagreement(each: JudgedAnswer) -> Disagreement:
    case = each.item.case
    question = next(
        (message.content for message in reversed(each.item.asked) if message.role == "user"), ""
    )
    return Disagreement(
        id=case.id,
        people=bool(each.item.verdict),
        judge=each.score.passed,
        question=str(case.fields.get("question") or question),
        answer=each.item.answer.text,
        references=case.references,
        reason=each.score.reason or each.score.unscored or "",
    )


async def _anchors(judge: MemberVerdict, judged: Sequence[JudgedAnswer]) -> tuple[Anchor, ...]:
    """Up to 50 answers with their verdicts, if possible as many passes as fails. Each was judged
    `ANCHOR_CALLS` times. Answers on which the calls disagree are left out: if a judge hesitates,
    one of its verdicts does not predict the next.
    """
    source = random.Random(judge.digest)
    sides = [[each for each in judged if each.score.passed is verdict] for verdict in (True, False)]
    for side in sides:
        source.shuffle(side)
    first = max(ANCHORS // 2, ANCHORS - len(sides[1]))
    chosen = sides[0][:first]
    chosen += sides[1][: ANCHORS - len(chosen)]
    fresh = judge.uncached()
    for _ in range(ANCHOR_CALLS - 1):
        again = await judge_all(fresh, [each.item for each in chosen])
        chosen = [
            each
            for each, other in zip(chosen, again, strict=True)
            if other.score.passed is each.score.passed
        ]
    return tuple(
        Anchor(
            case=each.item.case,
            asked=each.item.asked,
            answer=each.item.answer.text,
            passed=bool(each.score.passed),
            data=each.item.answer.data,
            turns=each.item.answer.turns,
        )
        for each in chosen
    )
