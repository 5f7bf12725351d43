"""Bias probes: does a verdict change with something that must not matter?

Each labelled answer is judged twice: unchanged, and with a change that does not affect its
correctness. Flips in one direction are a bias (exact McNemar test, Holm over the probes). "No bias"
is informative only together with the smallest shift that the probe can detect, so each result
states that shift.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import msgspec

from llmeval.core.certificate import Probe
from llmeval.core.conversation import with_output
from llmeval.judges.assurance.certify import judge_all
from llmeval.judges.assurance.labelled_answers import LabelledAnswer
from llmeval.judges.ensemble import MemberVerdict
from llmeval.stats.estimation.agreement import bias_probe
from llmeval.stats.power import detectable_shift, pairs_for_shift
from llmeval.stats.tests.multiplicity import holm_adjusted

ALPHA = 0.05
SMALL = 0.05
"""A shift of the pass rate that matters. "No bias" is informative if a shift of this size would
have been detected.
"""
Change = Callable[[LabelledAnswer], LabelledAnswer | None]


def _with_answer(item: LabelledAnswer, text: str) -> LabelledAnswer:
    return replace(item, answer=with_output(item.answer, text))


def longer(item: LabelledAnswer) -> LabelledAnswer:
    """The answer with added sentences without content."""
    return _with_answer(
        item,
        "Thank you for the question, which deserves a careful reply. After going through it step"
        f" by step, this is what I have to say about it.\n\n{item.answer.text}\n\nI hope that this"
        " covers everything that was asked. If anything is unclear, or if more detail would help,"
        " please do not hesitate to ask again at any time.",
    )


def formatted(item: LabelledAnswer) -> LabelledAnswer:
    """The answer as Markdown, with a heading and a list."""
    return _with_answer(
        item,
        "## Answer\n\n"
        + "\n".join(f"- **{line}**" for line in item.answer.text.splitlines() if line),
    )


def authority(item: LabelledAnswer) -> LabelledAnswer:
    """The answer, attributed to experts."""
    return _with_answer(
        item,
        "Leading experts and several peer-reviewed studies agree on the following."
        f" {item.answer.text}",
    )


def references_reversed(item: LabelledAnswer) -> LabelledAnswer | None:
    """The reference answers in reverse order; None with a single one."""
    if len(item.case.references) < 2:
        return None
    return replace(
        item, case=msgspec.structs.replace(item.case, references=item.case.references[::-1])
    )


def own_name(judge: MemberVerdict) -> Change:
    """The answer, signed with the judge's own name."""
    name = str(judge.members[0].caller.model.identity.get("model", "this model"))
    return lambda item: _with_answer(item, f"{item.answer.text}\n\n(written by {name})")


def probes_for(judge: MemberVerdict) -> dict[str, Change]:
    """The probes of a judge that judges one answer at a time."""
    return {
        "verbosity": longer,
        "formatting": formatted,
        "authority": authority,
        "reference order": references_reversed,
        "own name": own_name(judge),
    }


def swapped(item: LabelledAnswer) -> LabelledAnswer | None:
    """The other answer first, this one second; None without another answer."""
    other = item.case.fields.get("other")
    if not isinstance(other, str):
        return None
    fields = {**item.case.fields, "other": item.answer.text}
    return _with_answer(
        replace(item, case=msgspec.structs.replace(item.case, fields=fields)), other
    )


async def position(judge: MemberVerdict, items: Sequence[LabelledAnswer]) -> Probe:
    """Does an answer win more often if it comes first? Only for judges that compare two answers
    (`pairwise`).

    A tie counts as a loss in both orders. Source: L. Zheng et al., NeurIPS 2023, arXiv 2306.05685.
    """
    values = judge.members[0].protocol.values
    if not {"first", "second"} <= values.keys():
        return Probe(name="position", note="this judge judges one answer at a time")
    pairs = [(item, turned) for item in items if (turned := swapped(item)) is not None]
    first = await judge_all(judge, [item for item, _ in pairs])
    second = await judge_all(judge, [turned for _, turned in pairs])
    verdicts = [
        (a.score.value == values["first"], b.score.value == values["second"])
        for a, b in zip(first, second, strict=True)
        if a.score.value is not None and b.score.value is not None
    ]
    return flips("position", verdicts)


async def probe(judge: MemberVerdict, items: Sequence[LabelledAnswer]) -> tuple[Probe, ...]:
    """Every probe on labelled answers. Answers without a usable verdict in one of the two forms are
    left out.
    """
    before = [each.score.passed for each in await judge_all(judge, items)]
    results = []
    for name, change in probes_for(judge).items():
        pairs = [
            (old, changed)
            for old, item in zip(before, items, strict=True)
            if (changed := change(item)) is not None
        ]
        after = [
            each.score.passed for each in await judge_all(judge, [changed for _, changed in pairs])
        ]
        verdicts = [
            (old, new)
            for (old, _), new in zip(pairs, after, strict=True)
            if old is not None and new is not None
        ]
        results.append(flips(name, verdicts))
    results.append(await position(judge, items))
    return judged_together(results)


def flips(name: str, verdicts: Sequence[tuple[bool, bool]]) -> Probe:
    """One probe from its pairs of verdicts (before, after), before Holm's correction."""
    n = len(verdicts)
    if not n:
        return Probe(name=name, note="no answer that this probe applies to")
    became_pass = sum(new and not old for old, new in verdicts)
    became_fail = sum(old and not new for old, new in verdicts)
    p, _ = bias_probe(became_fail, became_pass, n)
    return Probe(name=name, n=n, became_pass=became_pass, became_fail=became_fail, p=p, adjusted=p)


def judged_together(probes: Sequence[Probe]) -> tuple[Probe, ...]:
    """The probes with Holm's correction, and the shift that each would have detected at its
    strictest level.

    The share of flips is estimated with one flip more than was observed: without it, no flips would
    mean that flips never occur.
    """
    tried = [each for each in probes if not each.note]
    adjusted = dict(
        zip([each.name for each in tried], holm_adjusted([each.p for each in tried]), strict=True)
    )
    return tuple(
        (
            each
            if each.note
            else msgspec.structs.replace(
                each,
                adjusted=adjusted[each.name],
                found=adjusted[each.name] <= ALPHA,
                detectable=detectable(each, ALPHA / len(tried)),
                needed=needed(each, ALPHA / len(tried)),
            )
        )
        for each in probes
    )


def detectable(each: Probe, alpha: float) -> float:
    """The smallest shift of the pass rate that is detected with 80 % power. It is at least the
    shift that the exact test needs to reject at all.
    """
    return min(1.0, max(detectable_shift(each.n, _share(each), alpha), _fewest(alpha) / each.n))


def needed(each: Probe, alpha: float) -> int:
    """How many answers are needed to detect a shift of `SMALL`, if the share of flips stays the
    same.
    """
    return max(pairs_for_shift(SMALL, _share(each), alpha), math.ceil(_fewest(alpha) / SMALL))


def _share(each: Probe) -> float:
    return min(1.0, (each.became_pass + each.became_fail + 1) / each.n)


def _fewest(alpha: float) -> int:
    return math.ceil(
        1 - math.log2(alpha)
    )  # two-sided: if all of m flips have one direction, p = 2^(1 - m)
