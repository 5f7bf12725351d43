"""What labels show of a judge that decides a regression: the bound of its J, by how much it may
differ between the two sides, and whose answers its certificate's labels are of.
"""

import math

from llmeval.core.baseline_lock import BaselineLock
from llmeval.core.certificate import Figure
from llmeval.core.formatting import percent, points
from llmeval.core.manifest import Manifest
from llmeval.core.model_records import JudgeArm
from llmeval.stats.estimation.agreement import youden_lower
from llmeval.stats.estimation.bounds import Interval
from llmeval.stats.estimation.label_counts import LabelCounts

J_SHARE = 5
"""Of the rate of a wrong PASS one part in so many may be spent on the lower bound of the judge's
J.
"""


def scale(counts: LabelCounts | None, beta: float) -> tuple[float, float]:
    """The lower bound of the judge's J from the labels behind its certificate, and the rate of
    error spent on it.
    """
    if counts is None:
        return 1.0, 0.0
    spent = beta / J_SHARE
    return max(youden_lower(counts, spent), 0.01), spent


def allowed_shift(manifest: Manifest, baseline: BaselineLock, metric: str) -> tuple[float, str]:
    """What a rule allows for, and a sentence where it is more than `judge_shift`.

    Where the certificate has labels of both systems, and they show that sensitivity or specificity
    differ by more than `judge_shift` (the 95 % interval lies beyond it), the rule allows for the
    far end of that interval; of a baseline of several systems, the farthest.
    """
    shift, arms = manifest.gate.judge_shift, manifest.judges[metric].arms
    now = _arm(arms, manifest.digests.system)
    allowed, shown = shift, []
    for system in baseline.systems:
        before = _arm(arms, system)
        if before is None or now is None or before is now:
            continue
        for name in ("sensitivity", "specificity"):
            one, two = getattr(before, name), getattr(now, name)
            span = difference_of(one, two)
            if span is None or (span.low <= shift and span.high >= -shift):
                continue
            allowed = max(allowed, abs(span.low), abs(span.high))
            shown.append(
                f"{name} is {percent(one.value)} on the answers of {before.name} and"
                f" {percent(two.value)} on those of {now.name}"
            )
    if not shown:
        return shift, ""
    return allowed, (
        f" The certificate's labels contradict `judge_shift`: the judge's {'; its '.join(shown)}."
        f" So {points(allowed)} are allowed for."
    )


def difference_of(before: Figure, now: Figure) -> Interval | None:
    """The 95 % interval of the second figure minus the first; None where one has no labels.

    Source: MOVER, G. Y. Zou, A. Donner, Stat. Med. 27 (2008) 1693-1702, from the two intervals.
    """
    if before.value is None or now.value is None:
        return None
    change = now.value - before.value
    down = math.hypot(now.value - now.low, before.high - before.value)
    return Interval(
        change - down, change + math.hypot(now.high - now.value, before.value - before.low)
    )


def other_answers(manifest: Manifest, metric: str) -> str:
    """The systems whose answers the certificate's labels are of, where this run's is not among
    them; empty where it is, or where the labels do not say.
    """
    arms = manifest.judges[metric].arms
    if not arms or _arm(arms, manifest.digests.system) is not None:
        return ""
    return ", ".join(arm.name for arm in arms)


def _arm(arms: tuple[JudgeArm, ...], system: str) -> JudgeArm | None:
    return next((arm for arm in arms if system and arm.system == system), None)
